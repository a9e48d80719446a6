import type { Labels } from '../kube/types.ts';

type Requirement = (labels: Labels) => boolean;

/** The API server's label selectors, as a function: `a`, `!a`, `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, joined by commas. */
export function labelSelector(text = ''): (labels: Labels | undefined) => boolean {
  const requirements = text
    .split(/,(?![^(]*\))/)
    .filter((part) => part.trim() !== '')
    .map(requirement);
  return (labels) => requirements.every((fulfilled) => fulfilled(labels ?? {}));
}

function requirement(text: string): Requirement {
  const set = /^\s*([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => labels[key] !== undefined && values.has(labels[key]);
    return (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const equal = /^\s*([^\s!=]+)\s*(==?|!=)\s*([^\s]*)\s*$/.exec(text);
  if (equal) {
    const [, key = '', operator, value] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = /^\s*(!?)\s*([^\s!=]+)\s*$/.exec(text);
  if (!exists) throw new Error(`not a label selector: ${text}`);
  const [, not, key = ''] = exists;
  return (labels) => (labels[key] === undefined) === (not === '!');
}
