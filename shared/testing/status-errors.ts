import { ApiError } from '../kube/errors.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';

/** What is wrong with a field, in the API server's words: `metadata.name: Required value: …`. */
export interface FieldError {
  field: string;
  message: string;
}

export const invalidValue = (field: string, value: unknown, why: string): FieldError => ({
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

export const immutableField = (field: string, value: unknown): FieldError =>
  invalidValue(field, value, 'field is immutable');

const quoted = (resource: Resource, name: string): string => `${resourceName(resource)} "${name}"`;

/** `ConfigMap`, or `Deployment.apps`. */
const kindName = ({ group, kind }: Resource): string => (group === '' ? kind : `${kind}.${group}`);

export const notFound = (resource: Resource, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${quoted(resource, name)} not found`);

/** The path itself is unknown: a resource that isn't served, or the wrong scope. */
export const notServed = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource');

export const methodNotAllowed = (): ApiError =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

export const alreadyExists = (resource: Resource, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${quoted(resource, name)} already exists`);

export const conflict = (resource: Resource, name: string, why: string): ApiError =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${quoted(resource, name)}: ${why}`);

export const modified = (resource: Resource, name: string): ApiError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** A precondition of a delete that doesn't hold; it names the kind. */
export const deletePrecondition = (
  resource: Resource,
  name: string,
  what: 'UID' | 'ResourceVersion',
  wanted: string,
  found: string,
): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kindName(resource)} "${name}": the ${what} in the precondition (${wanted}) ` +
      `does not match the ${what} in record (${found}). The object might have been ` +
      (what === 'UID' ? 'deleted and then recreated' : 'modified'),
  );

/** A write for an object with another uid. */
export function wrongUid(resource: Resource, { metadata }: KubeObject, found: string): ApiError {
  const { namespace, name, uid } = metadata;
  const key = `/registry/${resource.resource}/${namespace ? `${namespace}/` : ''}${name}`;
  return conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`,
  );
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

export const internalError = (message: string): ApiError => new ApiError(500, 'InternalError', message);

export const invalid = (resource: Resource, name: string, errors: readonly FieldError[]): ApiError =>
  invalidAs(`${kindName(resource)} "${name}"`, errors);

/** As `invalid`, of a thing that isn't an object of the resource's kind. */
export function invalidAs(what: string, errors: readonly FieldError[]): ApiError {
  const causes = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  const text = causes.length === 1 ? causes.join('') : `[${causes.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${what} is invalid: ${text}`);
}

export const mustSpecifyVersion = (resource: Resource, name: string): ApiError =>
  invalidAs(quoted(resource, name), [
    { field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
  ]);

export const namespaceTerminating = (resource: Resource, name: string, namespace: string): ApiError =>
  new ApiError(
    403,
    'Forbidden',
    `${quoted(resource, name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
  );

export const rejectedPatch = (): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request');

export const unsupportedPatch = (): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: ' +
      'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  );

export const tooOldVersion = (asked: number, oldest: number): ApiError =>
  new ApiError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

export const tooLargeVersion = (asked: number, current: number): ApiError =>
  new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, 1_000);

export const expiredContinue = (): ApiError =>
  new ApiError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
  );
