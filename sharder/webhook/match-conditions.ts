import { resourceName } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ringResources } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { scopeResources } from '../rings/ring-scope.ts';
import type { KnownRing } from '../rings/rings.ts';

export interface MatchCondition {
  name: string;
  /** CEL; a request for which it is false, or fails, doesn't call the webhook. */
  expression: string;
}

/**
 * Requests to which the webhook would have no answer needn't call it: writes that set the label, objects whose name the
 * API server has yet to make, updates by the sharder itself, and objects of resources which are only controlled ones
 * without a controller of a kind that the ring knows. What is skipped wrongly is left to the watch.
 */
export function matchConditions({ ring, scope }: KnownRing, sharderUsername: string): MatchCondition[] {
  const label = literal(shardLabel(ring.metadata.name));
  const conditions: MatchCondition[] = [
    { name: 'unlabelled', expression: `!${hasLabel('object', label)}` },
    { name: 'named', expression: `has(object.metadata.name) && object.metadata.name != ""` },
    {
      name: 'not-by-the-sharder',
      expression: `request.operation == "CREATE" || request.userInfo.username != ${literal(sharderUsername)}`,
    },
  ];
  const mains = new Set((ring.spec?.resources ?? []).map(resourceName));
  const onlyControlled = ringResources(ring).filter((resource) => !mains.has(resourceName(resource)));
  if (onlyControlled.length > 0) {
    const resources = onlyControlled.map(({ group, resource }) => literal(`${group}/${resource}`));
    const kinds = new Set(scopeResources(scope).map(({ kind }) => literal(kind)));
    const controlled = `reference, has(reference.controller) && reference.controller && reference.kind in [${[...kinds].join(', ')}]`;
    conditions.push({
      name: 'main-or-controlled',
      expression: [
        `!(request.resource.group + "/" + request.resource.resource in [${resources.join(', ')}])`,
        `has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(${controlled})`,
        // Its label may have to be put back.
        `oldObject != null && ${hasLabel('oldObject', label)}`,
      ].join(' || '),
    });
  }
  return conditions;
}

const hasLabel = (object: string, label: string): string =>
  `(has(${object}.metadata.labels) && ${label} in ${object}.metadata.labels)`;

/** What JSON escapes is escaped in CEL by the same characters. */
const literal = (text: string): string => JSON.stringify(text);
