import { ApiError, isForbidden } from '@controller-sharding/shared/kube/errors.ts';
import { type GroupResource, resourceName } from '@controller-sharding/shared/kube/types.ts';

/** What the sharder does with the objects of a ring's resources. */
export const verbs = ['get', 'list', 'patch', 'watch'] as const;
export type Verb = (typeof verbs)[number];

export interface MissingRight extends GroupResource {
  verb: Verb;
}

/** Without these nothing can be done with the objects of a resource. */
const needed: readonly Verb[] = ['list', 'patch'];

export const isNeeded = ({ verb }: MissingRight): boolean => needed.includes(verb);

/** The authorizer's refusal, in the API server's fixed words; not that of an admission webhook or policy. */
export const isMissingRight = (error: unknown): boolean =>
  isForbidden(error) && error instanceof ApiError && / cannot [a-z]+ resource /.test(error.message);

/** The rules that grant what is missing, as they stand in a ClusterRole. Whoever lacks one needed right gets all of them. */
export function rulesFor(missing: readonly MissingRight[]): string {
  const byResource = Map.groupBy(missing, resourceName);
  const rules = new Map<string, { group: string; resources: string[]; verbs: Verb[] }>();
  for (const rights of byResource.values()) {
    const [first] = rights;
    if (first === undefined) continue;
    const lacking = new Set(rights.map(({ verb }) => verb));
    const all = rights.some(isNeeded) ? lacking.union(new Set(needed)) : lacking;
    const granted = verbs.filter((verb) => all.has(verb));
    const key = `${first.group}/${granted.join()}`;
    const rule = rules.get(key) ?? { group: first.group, resources: [], verbs: granted };
    rule.resources.push(first.resource);
    rules.set(key, rule);
  }
  return [...rules.values()]
    .map(
      (rule) =>
        `{apiGroups: [${rule.group === '' ? '""' : rule.group}], resources: [${rule.resources.toSorted().join(', ')}], verbs: [${rule.verbs.join(', ')}]}`,
    )
    .toSorted()
    .join(', ');
}
