import type { KubeObject } from '../kube/types.ts';
import { type FieldError, invalidValue } from './status-errors.ts';

const subdomainPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const labelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const qualifiedPattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const valuePattern = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const matches = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`).test(text);

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  `end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomainPattern}')`;
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  `an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${labelPattern}')`;
const qualifiedRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedPattern}')`;
const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
  `end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${valuePattern}')`;

/** What the name of an object may be: a DNS subdomain (most kinds), or one label of it (namespaces, services). */
export type NameRule = 'subdomain' | 'label';

const maxAnnotationBytes = 256 * 1024;
const standardFinalizers = new Set(['foregroundDeletion', 'orphan', 'kubernetes']);

/** What is wrong with a name; nothing when it is valid. */
function nameErrors(name: string, rule: NameRule): string[] {
  if (rule === 'label' && name.includes('.')) return ['must not contain dots'];
  const limit = rule === 'label' ? 63 : 253;
  const pattern = rule === 'label' ? labelPattern : subdomainPattern;
  return [
    ...(name.length > limit
      ? [`must be no more than ${limit} ${rule === 'label' ? 'bytes' : 'characters'}`]
      : []),
    ...(matches(pattern, name) ? [] : [rule === 'label' ? labelRule : subdomainRule]),
  ];
}

/** What is wrong with the key of a label; nothing when it is valid. */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split('/');
  const [prefix, name = prefix ?? ''] = parts;
  if (parts.length > 2) {
    return [
      `a valid label key ${qualifiedRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  if (parts.length === 2 && prefix === '') errors.push('prefix part must be non-empty');
  else if (parts.length === 2)
    errors.push(...nameErrors(prefix ?? '', 'subdomain').map((e) => `prefix part ${e}`));
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push('name part must be no more than 63 bytes');
  if (!matches(qualifiedPattern, name)) errors.push(`name part ${qualifiedRule}`);
  return errors;
}

/** What is wrong with the value of a label; nothing when it is valid. */
export function labelValueErrors(value: string): string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...(matches(valuePattern, value) ? [] : [valueRule]),
  ];
}

/** What the API server finds wrong with the metadata that an object is to be written with. */
export function metadataErrors({ metadata }: KubeObject, rule: NameRule, builtIn: boolean): FieldError[] {
  const { name, generateName, labels, annotations } = metadata;
  const errors: FieldError[] = [];
  if (generateName !== undefined) {
    const errorsOfPrefix = nameErrors(generateName.replace(/-$/, 'a'), rule);
    errors.push(...errorsOfPrefix.map((why) => invalidValue('metadata.generateName', generateName, why)));
  }
  if (!name) {
    errors.push({ field: 'metadata.name', message: 'Required value: name or generateName is required' });
  } else {
    errors.push(...nameErrors(name, rule).map((why) => invalidValue('metadata.name', name, why)));
  }
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.push(...labelKeyErrors(key).map((why) => invalidValue('metadata.labels', key, why)));
    errors.push(...labelValueErrors(value).map((why) => invalidValue('metadata.labels', value, why)));
  }
  for (const key of Object.keys(annotations ?? {})) {
    // Keys of annotations may have capital letters in their prefix.
    errors.push(
      ...labelKeyErrors(key.toLowerCase()).map((why) => invalidValue('metadata.annotations', key, why)),
    );
  }
  const size = Object.entries(annotations ?? {}).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0,
  );
  if (size > maxAnnotationBytes) {
    const message = `Too long: may not be more than ${maxAnnotationBytes} bytes`;
    errors.push({ field: 'metadata.annotations', message });
  }
  return [...errors, ...ownerErrors(metadata), ...finalizerErrors(metadata, builtIn)];
}

function ownerErrors({ ownerReferences = [] }: KubeObject['metadata']): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, reference] of ownerReferences.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (reference[field]) continue;
      const path = `metadata.ownerReferences[${index}].${field}`;
      errors.push({ field: path, message: 'Required value: must not be empty' });
    }
  }
  const [first, second] = ownerReferences.filter(({ controller }) => controller === true);
  if (first && second) {
    const found = `Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    const why = `Only one reference can have Controller set to true. ${found}`;
    errors.push(invalidValue('metadata.ownerReferences', ownerReferences, why));
  }
  return errors;
}

function finalizerErrors({ finalizers = [] }: KubeObject['metadata'], builtIn: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, finalizer] of finalizers.entries()) {
    errors.push(
      ...labelKeyErrors(finalizer).map((why) => invalidValue('metadata.finalizers', finalizer, why)),
    );
    if (builtIn && !finalizer.includes('/') && !standardFinalizers.has(finalizer)) {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(invalidValue(`metadata.finalizers[${index}]`, finalizer, why));
    }
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const why = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(invalidValue('metadata.finalizers', finalizers, why));
  }
  return errors;
}
