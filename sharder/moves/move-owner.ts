import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Controlled } from './controlled-lists.ts';
import type { LabelWriter, RelabelOutcome } from './label-writer.ts';

export interface OwnerMove {
  ring: string;
  resource: Resource;
  /** As it was read: its labels are tested. */
  owner: PartialObject;
  children: readonly Controlled[];
  to: string;
  /** Asked right before every write: whether the decision still stands, by the newest membership. */
  stillRight(): Promise<boolean>;
}

/**
 * Moves an owner that no living shard works on, with its controlled objects: these first, the owner last, so that the
 * API server holds their new label before the owner's. Ends early with `changed` when something is not as it was read.
 */
export async function moveOwner(writer: LabelWriter, move: OwnerMove): Promise<RelabelOutcome> {
  const { ring, resource, owner, children, to, stillRight } = move;
  const label = shardLabel(ring);
  for (const child of children) {
    if (child.object.metadata.labels?.[label] === to) continue;
    if (!(await stillRight())) return 'changed';
    const outcome = await writer.relabel(
      child.resource,
      child.object,
      { [label]: to },
      { controllerUid: true },
    );
    if (outcome === 'changed') return 'changed';
  }
  if (!(await stillRight())) return 'changed';
  return writer.relabel(resource, owner, { [label]: to, [drainLabel(ring)]: undefined });
}
