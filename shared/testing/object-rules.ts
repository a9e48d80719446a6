/* oxlint-disable typescript/no-unsafe-type-assertion -- metadata is narrowed to what the API server knows */
import { messageOf } from '../kube/errors.ts';
import { apiVersionOf, type KubeObject, type ObjectMeta } from '../kube/types.ts';
import { contentErrors, goType, readContent } from './built-in-forms.ts';
import { asJson, isObject, type Json, jsonEquals } from './json.ts';
import { metadataErrors } from './metadata-validation.ts';
import type { ServedResource } from './resource-registry.ts';
import { badRequest, type FieldError, immutableField, invalid } from './status-errors.ts';
import type { SystemFields } from './system-fields.ts';

export type Subresource = '' | 'status';

type Meta = ObjectMeta & { deletionGracePeriodSeconds?: number };

const metadataFields = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
] as const;

/** Longest generated name, as for a label. */
const maxGeneratedLength = 63;

/** RFC 3339 in whole seconds, as the API server writes times. */
export const timestamp = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');

/**
 * An object as the API server reads it: known metadata, without what is empty; of the resource's kind. Throws ApiError
 * 400 for what it can't read.
 */
export function normalized(resource: ServedResource, object: KubeObject): KubeObject {
  const { apiVersion: _version, kind: _kind, metadata, ...fields } = asJson(object) as KubeObject & Json;
  const given = (isObject(metadata) ? metadata : {}) as unknown as Record<string, unknown>;
  const kept: Json = {};
  for (const field of metadataFields) if (!isEmpty(given[field])) kept[field] = given[field];
  const unreadable = (why: string) =>
    badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${why}`,
    );
  for (const field of ['labels', 'annotations']) {
    for (const value of Object.values(isObject(kept[field]) ? kept[field] : {})) {
      if (typeof value === 'string') continue;
      const what = `${goType(value)} into Go struct field ObjectMeta.metadata.${field} of type string`;
      throw unreadable(`json: cannot unmarshal ${what}`);
    }
  }
  let body: Json = fields;
  try {
    if (resource.builtIn) body = readContent(resource, withoutNulls(fields) as Json);
  } catch (error) {
    throw unreadable(messageOf(error));
  }
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: kept as unknown as ObjectMeta,
    ...body,
  };
}

/** What is created of this body. */
export function toCreate(resource: ServedResource, body: KubeObject, system: SystemFields): KubeObject {
  const {
    uid: _uid,
    resourceVersion: _resourceVersion,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    generation,
    ...metadata
  }: Meta = body.metadata;
  if (!metadata.name && metadata.generateName) {
    const base = metadata.generateName.slice(0, maxGeneratedLength - system.suffix.length);
    metadata.name = base + system.suffix;
  }
  const first = resource.generation ? 1 : generation;
  return {
    ...(resource.statusSubresource ? withStatusOf(body, undefined) : body),
    metadata: {
      ...metadata,
      uid: system.uid,
      creationTimestamp: timestamp(system.now),
      ...(first !== undefined && { generation: first }),
    },
  };
}

/** What becomes of an object that is updated to this body; the server's own fields and the other half stay. */
export function toUpdate(
  resource: ServedResource,
  present: KubeObject,
  body: KubeObject,
  subresource: Subresource,
): KubeObject {
  const own: Meta = present.metadata;
  const { resourceVersion: _version, generation: _generation, ...metadata }: Meta = body.metadata;
  const kept = {
    uid: metadata.uid ?? own.uid,
    resourceVersion: own.resourceVersion,
    creationTimestamp: own.creationTimestamp,
    ...(own.generation !== undefined && { generation: own.generation }),
    ...(own.deletionTimestamp && !metadata.deletionTimestamp && { deletionTimestamp: own.deletionTimestamp }),
    ...(own.deletionGracePeriodSeconds !== undefined && {
      deletionGracePeriodSeconds: own.deletionGracePeriodSeconds,
    }),
  };
  const written = { ...metadata, ...kept } as ObjectMeta;
  if (subresource === 'status') {
    return { ...withStatusOf(present, statusOf(body)), metadata: resource.builtIn ? written : own };
  }
  const object = {
    ...(resource.statusSubresource ? withStatusOf(body, statusOf(present)) : body),
    metadata: written,
  };
  if (resource.generation && !jsonEquals(counted(resource, present), counted(resource, object))) {
    object.metadata.generation = (own.generation ?? 0) + 1;
  }
  return object;
}

/** Throws ApiError 422 when the object may not be written. */
export function validate(resource: ServedResource, object: KubeObject, present?: KubeObject): void {
  const errors: FieldError[] = metadataErrors(object, resource.nameRule, resource.builtIn);
  if (resource.builtIn) errors.push(...contentErrors(resource, object, present));
  else if ('spec' in object && object.spec === null) {
    errors.push({
      field: 'spec',
      message: 'Invalid value: "null": spec in body must be of type object: "null"',
    });
  }
  if (present) {
    const { uid, deletionTimestamp, finalizers = [] } = object.metadata;
    if (uid !== present.metadata.uid) errors.unshift(immutableField('metadata.uid', uid));
    if (deletionTimestamp !== present.metadata.deletionTimestamp) {
      errors.unshift(immutableField('metadata.deletionTimestamp', deletionTimestamp));
    }
    const added = finalizers.filter((finalizer) => !present.metadata.finalizers?.includes(finalizer));
    if (present.metadata.deletionTimestamp && added.length > 0) {
      const found = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
      const why = 'no new finalizers can be added if the object is being deleted';
      errors.push({
        field: 'metadata.finalizers',
        message: `Forbidden: ${why}, found new finalizers ${found}`,
      });
    }
  }
  if (errors.length > 0) throw invalid(resource, object.metadata.name ?? '', errors);
}

const statusOf = (object: KubeObject): unknown => ('status' in object ? object.status : undefined);

function withStatusOf(object: KubeObject, status: unknown): KubeObject {
  const { status: _status, ...rest } = object as KubeObject & Json;
  return status === undefined ? rest : Object.assign(rest, { status });
}

/** What counts for the generation: all but metadata, and the status where it is written on its own. */
function counted(resource: ServedResource, object: KubeObject): Json {
  const { metadata: _metadata, status, ...fields } = object as KubeObject & Json;
  return resource.statusSubresource || resource.builtIn ? fields : { ...fields, status };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutNulls(field)]));
}
