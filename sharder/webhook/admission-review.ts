import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import type { GroupResource, OwnerReference, PartialObject } from '@controller-sharding/shared/kube/types.ts';

/** What of an AdmissionReview's request (admission.k8s.io/v1) matters here. */
export interface AdmissionRequest extends GroupResource {
  operation: string;
  subresource: string;
  /** Empty for cluster-scoped objects, but a Namespace is said to be in itself. */
  namespace: string;
  username: string;
  /** Of both only name, labels and owner references; labels are undefined when the object has none at all. */
  object: PartialObject | undefined;
  oldObject: PartialObject | undefined;
}

export interface Review {
  /** Goes back with the answer. */
  uid: string;
  /** Undefined when it makes no sense. */
  request: AdmissionRequest | undefined;
}

type Fields = Record<string, unknown>;

/** Longest uid that is sent back; the API server's have 36 characters. */
const UID_LENGTH = 128;

/** Reads a request's body; undefined when it has no uid, so that it can't be answered. Never throws. */
export function parseReview(body: unknown): Review | undefined {
  const request = fields(fields(body)?.['request']);
  const uid = text(request?.['uid']);
  if (request === undefined || uid === '' || uid.length > UID_LENGTH) return undefined;
  return { uid, request: parseRequest(request) };
}

function parseRequest(request: Fields): AdmissionRequest | undefined {
  const resource = fields(request['resource']);
  if (resource === undefined) return undefined;
  return {
    operation: text(request['operation']),
    group: text(resource['group']),
    resource: text(resource['resource']),
    subresource: text(request['subResource']),
    namespace: text(request['namespace']),
    username: text(fields(request['userInfo'])?.['username']),
    object: parseObject(request['object']),
    oldObject: parseObject(request['oldObject']),
  };
}

function parseObject(object: unknown): PartialObject | undefined {
  const metadata = fields(fields(object)?.['metadata']);
  if (metadata === undefined) return undefined;
  const labels = fields(metadata['labels']);
  const references = metadata['ownerReferences'];
  return {
    metadata: {
      name: text(metadata['name']),
      ...(labels && {
        labels: Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, text(value)])),
      }),
      ownerReferences: (Array.isArray(references) ? references : []).map(parseReference),
    },
  };
}

function parseReference(reference: unknown): OwnerReference {
  const found = fields(reference);
  return {
    apiVersion: text(found?.['apiVersion']),
    kind: text(found?.['kind']),
    name: text(found?.['name']),
    uid: text(found?.['uid']),
    controller: found?.['controller'] === true,
  };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fields = (value: unknown): Fields | undefined => (isFields(value) ? value : undefined);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The AdmissionReview, as JSON, that lets the request pass, changed by the patch if there is one. */
export function allowed(uid: string, patch?: JsonPatchOperation[]): string {
  const change = patch
    ? `,"patchType":"JSONPatch","patch":"${Buffer.from(JSON.stringify(patch)).toString('base64')}"`
    : '';
  const response = `{"uid":${JSON.stringify(uid)},"allowed":true${change}}`;
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":${response}}`;
}
