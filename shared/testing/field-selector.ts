import type { KubeObject } from '../kube/types.ts';
import { isObject } from './json.ts';
import type { ServedResource } from './resource-registry.ts';
import { badRequest } from './status-errors.ts';

/** Fields that a list can be selected by, beside name and namespace, of the kinds that have them. */
const selectable: Record<string, string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  secrets: ['type'],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  jobs: ['status.successful'],
};

/** Field selectors as a function: `field=value`, `field!=value`, joined by commas. Throws ApiError 400. */
export function fieldSelector(resource: ServedResource, text = ''): (object: KubeObject) => boolean {
  const known = ['metadata.name', 'metadata.namespace', ...(selectable[resource.resource] ?? [])];
  const terms = splitTerms(text).map((term) => parseTerm(term));
  for (const { field } of terms)
    if (!known.includes(field)) throw badRequest(unknownField(resource, field, known));
  return (object) =>
    terms.every(({ field, negated, value }) => (valueAt(object, field) === value) !== negated);
}

interface Term {
  field: string;
  negated: boolean;
  value: string;
}

/** Cut at commas that no backslash stands before; what is empty, on both sides of its `=`, too, says nothing. */
const splitTerms = (text: string): string[] =>
  (text.match(/(?:\\.|[^,\\]|\\$)+/g) ?? []).filter((term) => !/^(?:=|==|!=)$/.test(term));

function parseTerm(term: string): Term {
  const parts = /^([^!=]*)(!=|==?)(.*)$/.exec(term);
  if (!parts) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const [, field = '', operator, text = ''] = parts;
  return { field, negated: operator === '!=', value: unescaped(text) };
}

function unescaped(text: string): string {
  const wrong = /(?:^|[^\\])(?:\\\\)*([=])/.exec(text)?.[1];
  if (wrong) throw badRequest(`invalid field selector: unescaped character in value: ${wrong.charCodeAt(0)}`);
  const escape = /\\(?![\\,=])(.?)/.exec(text.replaceAll(/\\[\\,=]/g, ''));
  if (escape) throw badRequest(`invalid field selector: invalid escape sequence: ${escape[0]}`);
  return text.replaceAll(/\\([\\,=])/g, '$1');
}

function unknownField({ builtIn, resource }: ServedResource, field: string, known: string[]): string {
  if (!builtIn || selectable[resource]) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only ${known.map((name) => `"${name}"`).join(', ')}`;
}

/** A field that isn't there is the empty string, or false. */
function valueAt(object: KubeObject, field: string): string {
  let value: unknown = object;
  for (const name of field.split('.')) value = isObject(value) ? value[name] : undefined;
  if (value === undefined && (field === 'spec.hostNetwork' || field === 'spec.unschedulable')) return 'false';
  return value === undefined ? '' : String(value);
}
