import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { forEachAtOnce } from '@controller-sharding/shared/runtime/at-once.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Controlled } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import { isMissingRight } from '../rings/missing-rights.ts';
import type { LabelWriter, RelabelOutcome } from './label-writer.ts';

export interface OwnerMove {
  ring: string;
  resource: Resource;
  /** As it was read: its labels are tested. */
  owner: PartialObject;
  /** All that it controls, at any depth. */
  children: readonly Controlled[];
  /** Undefined: to nobody, the labels are removed. */
  to: string | undefined;
  /** Asked right before every write: whether the decision still stands, by the newest membership. */
  stillRight(): Promise<boolean>;
}

/** Of one owner. What it controls should not be on another shard for long, however much that is. */
const childrenAtOnce = 5;

/**
 * Moves an owner that no living shard works on, with its controlled objects: these first, the owner last, so that the
 * API server holds their new label before the owner's. Passes over what it has no right to change. Ends early with
 * `changed` when something is not as it was read. Nothing that it wrote is under way any more when it ends.
 */
export async function moveOwner(writer: LabelWriter, move: OwnerMove): Promise<RelabelOutcome> {
  const { ring, resource, owner, children, to, stillRight } = move;
  const [label, drain] = [shardLabel(ring), drainLabel(ring)];
  let changed = false;
  await forEachAtOnce(childrenAtOnce, children, async ({ resource: childResource, object }) => {
    const { labels } = object.metadata;
    if (changed || labels?.[label] === to) return;
    if (!(await stillRight())) {
      changed = true;
      return;
    }
    const changes = { [label]: to, ...(labels?.[drain] !== undefined && { [drain]: undefined }) };
    try {
      const outcome = await writer.relabel(childResource, object, changes, { controllerUid: true });
      if (outcome === 'changed') changed = true;
    } catch (error) {
      // Of a resource that may not be patched at all: the ring's status tells of it.
      if (!isMissingRight(error)) throw error;
    }
  });
  if (changed || !(await stillRight())) return 'changed';
  return writer.relabel(resource, owner, { [label]: to, [drain]: undefined });
}
