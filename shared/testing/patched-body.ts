/* oxlint-disable typescript/no-unsafe-type-assertion -- a patch makes of an object what it says */
import type { Patch } from '../kube/api-client.ts';
import { messageOf } from '../kube/errors.ts';
import { apiVersionOf, type KubeObject, type ObjectRef, objectKey } from '../kube/types.ts';
import { emptyContent, unknownField } from './built-in-forms.ts';
import { asJson, isObject, type Json } from './json.ts';
import { jsonPatched } from './json-patch.ts';
import { mergePatched } from './merge-patch.ts';
import { normalized, type Subresource } from './object-rules.ts';
import type { StoredObject } from './object-store.ts';
import type { ServedResource } from './resource-registry.ts';
import { applied, type FieldOwner, ownersBeforeApply } from './server-side-apply.ts';
import {
  badRequest,
  conflict,
  internalError,
  invalidAs,
  notFound,
  rejectedPatch,
  unsupportedPatch,
} from './status-errors.ts';
import { strategicPatched } from './strategic-merge-patch.ts';

export interface PatchedBody {
  object: KubeObject;
  owners: readonly FieldOwner[];
}

/**
 * The body that a patch makes of an object, as if it had been sent whole; its resourceVersion is a precondition. Without
 * an object only an apply makes one. Throws ApiError.
 */
export function patchedBody(
  resource: ServedResource,
  ref: ObjectRef,
  present: StoredObject | undefined,
  patch: Patch,
  subresource: Subresource,
): PatchedBody {
  if (patch.type === 'strategic' && !resource.builtIn) throw unsupportedPatch();
  if (!present && (patch.type !== 'apply' || subresource === 'status')) throw notFound(resource, ref.name);
  const body =
    patch.type === 'apply'
      ? appliedBody(resource, ref, present, patch, subresource)
      : { object: patchedObject(present?.object, patch), owners: present?.owners ?? [] };
  checkIdentity(resource, ref, body.object);
  return { ...body, object: readPatched(resource, body.object, patch) };
}

/** What can't be read is the patch's fault. */
function readPatched(resource: ServedResource, object: KubeObject, { type }: Patch): KubeObject {
  const { apiVersion = apiVersionOf(resource), kind = resource.kind } = object;
  let why = 'it is of another kind';
  try {
    if (kind === resource.kind && apiVersion === apiVersionOf(resource)) return normalized(resource, object);
  } catch (error) {
    if (type === 'apply') throw error;
    why = messageOf(error);
  }
  if (type === 'apply') throw badRequest(`invalid object type: ${apiVersion}, Kind=${kind}`);
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(object))}: ${why}`;
  throw invalidAs(' ""', [{ field: 'patch', message }]);
}

function patchedObject(
  present: KubeObject | undefined,
  patch: Exclude<Patch, { type: 'apply' }>,
): KubeObject {
  if (patch.type === 'json') {
    try {
      return jsonPatched(present, asJson(patch.operations)) as KubeObject;
    } catch {
      throw rejectedPatch();
    }
  }
  const body: unknown = asJson(patch.body);
  if (!isObject(body)) {
    const found = Array.isArray(body) ? 'array' : typeof body;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  if (patch.type === 'merge') return mergePatched(present, body) as KubeObject;
  try {
    return strategicPatched(present, body) as KubeObject;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function appliedBody(
  resource: ServedResource,
  ref: ObjectRef,
  present: StoredObject | undefined,
  { body, fieldManager, force = false }: Extract<Patch, { type: 'apply' }>,
  subresource: Subresource,
): PatchedBody {
  if (fieldManager === '') {
    throw invalidAs('PatchOptions.meta.k8s.io ""', [
      { field: 'fieldManager', message: 'Required value: is required for apply patch' },
    ]);
  }
  const configuration = asJson(body) as KubeObject & Json;
  const metadata = { ...ref, ...configuration.metadata };
  if ('managedFields' in metadata) throw badRequest('metadata.managedFields must be nil');
  const { uid, resourceVersion } = metadata;
  if (uid && !present) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource, ref.name, why);
  }
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...content } = configuration;
  const unknown = unknownField(resource, content);
  if (unknown !== undefined) {
    const what = `(${objectKey(ref)}; ${resource.group}/${resource.version}, Kind=${resource.kind})`;
    throw internalError(
      `failed to create typed patch object ${what}: .${unknown}: field not declared in schema`,
    );
  }
  const own = present?.object ?? { metadata: {} };
  const { fields, owners } = applied(
    own,
    present ? ownersBeforeApply(present, emptyContent(resource), apiVersionOf(resource), resource.lists) : [],
    withoutOtherHalf(resource, configuration, subresource),
    { manager: fieldManager, operation: 'Apply', apiVersion: apiVersionOf(resource), subresource },
    resource.lists,
    force,
  );
  const merged = {
    ...own.metadata,
    ...absentMetadata,
    ...(isObject(fields['metadata']) ? fields['metadata'] : {}),
    name: metadata.name,
    ...(metadata.namespace && { namespace: metadata.namespace }),
    ...(uid && { uid }),
    resourceVersion: resourceVersion || (own.metadata as KubeObject['metadata']).resourceVersion,
  };
  return { object: { ...fields, metadata: merged } as unknown as KubeObject, owners };
}

/** Metadata that an apply may have removed. */
const absentMetadata = {
  labels: undefined,
  annotations: undefined,
  finalizers: undefined,
  ownerReferences: undefined,
  generateName: undefined,
};

/** Of a resource with a status of its own, only the half that is written. */
function withoutOtherHalf(resource: ServedResource, configuration: Json, subresource: Subresource): Json {
  if (!resource.statusSubresource) return configuration;
  const { status, ...main } = configuration;
  if (subresource === '') return main;
  return status === undefined ? {} : { status };
}

function checkIdentity(resource: ServedResource, ref: ObjectRef, object: KubeObject): void {
  const { name, namespace } = isObject(object?.metadata) ? object.metadata : { name: '' };
  if (!name) {
    throw badRequest(
      `the name of the object (${ref.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (name !== ref.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${ref.name})`);
  }
  if (resource.namespaced && namespace && namespace !== ref.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}
