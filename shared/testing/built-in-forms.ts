/* oxlint-disable typescript/no-unsafe-type-assertion -- fields of a kind are looked at as they are */
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import { isObject, type Json, jsonEquals } from './json.ts';
import { type FieldError, immutableField, invalidValue } from './status-errors.ts';

/**
 * The form of the built-in kinds that controllers write most: which fields they have, what these may hold, and what
 * is set where it is left out. Of other kinds the content is taken as it is.
 */
interface Form {
  fields: readonly string[];
  /** What is there even if nothing was written. Default: nothing. */
  empty?: Json;
  /** Returns the content as it is kept. Throws an Error that says what can't be read. */
  read(content: Json): Json;
  errors(content: Json, present: Json | undefined): FieldError[];
}

const keyPattern = '[-._a-zA-Z0-9]+';
const keyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
  `(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${keyPattern}')`;
const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[-+]\d\d:\d\d)$/;

const forms: Record<string, Form> = {
  configmaps: {
    fields: ['data', 'binaryData', 'immutable'],
    read: (content) => withoutEmpty(stringMap(content, 'ConfigMap', 'data')),
    errors: dataErrors,
  },
  secrets: {
    fields: ['data', 'stringData', 'type', 'immutable'],
    read: readSecret,
    errors: (content, present) => [
      ...(present && present['type'] !== content['type'] ? [immutableField('type', content['type'])] : []),
      ...dataErrors(content, present),
    ],
  },
  'leases.coordination.k8s.io': {
    fields: ['spec'],
    empty: { spec: {} },
    read: readLease,
    errors: leaseErrors,
  },
  serviceaccounts: {
    fields: ['secrets', 'imagePullSecrets', 'automountServiceAccountToken'],
    read: ({ secrets, ...content }) => ({
      ...content,
      ...(Array.isArray(secrets) && { secrets: secrets.map(({ name }: Json) => ({ name })) }),
    }),
    errors: () => [],
  },
};

/** The content of an object as it is kept. Throws an Error that says what can't be read. */
export function readContent(resource: Resource, content: Json): Json {
  const form = forms[resourceName(resource)];
  if (!form) return content;
  return form.read(
    Object.fromEntries(Object.entries(content).filter(([field]) => form.fields.includes(field))),
  );
}

/** The content of an object of the kind before anything is written: what is there by itself is nobody's field. */
export const emptyContent = (resource: Resource): Json => forms[resourceName(resource)]?.empty ?? {};

/** The first field that the kind doesn't have, if its fields are known. */
export function unknownField(resource: Resource, content: Json): string | undefined {
  const form = forms[resourceName(resource)];
  return form && Object.keys(content).find((field) => !form.fields.includes(field));
}

export function contentErrors(resource: Resource, object: KubeObject, present?: KubeObject): FieldError[] {
  const content = object as KubeObject & Json;
  return forms[resourceName(resource)]?.errors(content, present as (KubeObject & Json) | undefined) ?? [];
}

function stringMap(content: Json, kind: string, field: string): Json {
  for (const value of Object.values(objectOf(content[field]))) {
    if (typeof value === 'string') continue;
    throw new Error(
      `json: cannot unmarshal ${goType(value)} into Go struct field ${kind}.${field} of type string`,
    );
  }
  return content;
}

function readSecret({ stringData, ...content }: Json): Json {
  const data: Json = { ...objectOf(content['data']) };
  for (const value of Object.values(stringMap({ data }, 'Secret', 'data')['data'] as Json)) {
    if (Buffer.from(String(value), 'base64').toString('base64') === value) continue;
    throw new Error('illegal base64 data at input byte 0');
  }
  for (const [key, text] of Object.entries(objectOf(stringData))) {
    data[key] = Buffer.from(String(text)).toString('base64');
  }
  return withoutEmpty({ ...content, data, type: content['type'] ?? 'Opaque' });
}

function readLease({ spec = {} }: Json): Json {
  for (const field of ['acquireTime', 'renewTime']) {
    const time = objectOf(spec)[field];
    if (time === undefined || microTime.test(String(time))) continue;
    throw new Error(
      `parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse it`,
    );
  }
  return { spec };
}

function leaseErrors({ spec }: Json): FieldError[] {
  const { leaseDurationSeconds = 1, leaseTransitions = 0 } = objectOf(spec);
  const errors: FieldError[] = [];
  if (Number(leaseDurationSeconds) <= 0) {
    errors.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (Number(leaseTransitions) < 0) {
    const why = 'must be greater than or equal to 0';
    errors.push(invalidValue('spec.leaseTransitions', leaseTransitions, why));
  }
  return errors;
}

function dataErrors(content: Json, present: Json | undefined): FieldError[] {
  const keys = Object.keys({ ...objectOf(content['data']), ...objectOf(content['binaryData']) });
  const wrong = keys.filter((key) => !new RegExp(`^${keyPattern}$`).test(key));
  const fixed = present?.['immutable'] === true ? ['immutable', 'data', 'binaryData'] : [];
  const changed = fixed.filter((field) => !jsonEquals(content[field], present?.[field]));
  return [
    ...changed.map((field) => {
      return { field, message: 'Forbidden: field is immutable when `immutable` is set' };
    }),
    ...wrong.map((key) => invalidValue(`data[${key}]`, key, keyRule)),
  ];
}

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

const withoutEmpty = (content: Json): Json =>
  Object.fromEntries(
    Object.entries(content).filter(([, value]) => !isObject(value) || Object.keys(value).length > 0),
  );

/** What a JSON value is called in an error of the API server. */
export function goType(value: unknown): string {
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
