import type { DeleteOptions } from '../kube/api-client.ts';
import type { KubeObject, ObjectMeta } from '../kube/types.ts';
import { timestamp } from './object-rules.ts';

/** Finalizers by which the garbage collector is asked to do its part before an object goes. */
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export type PropagationPolicy = NonNullable<DeleteOptions['propagationPolicy']>;

/**
 * What becomes of an object that is to be deleted: undefined when it goes at once; else, while finalizers hold it, the
 * object marked as being deleted (the same when it was already).
 */
export function markedForDeletion(
  present: KubeObject,
  policy: PropagationPolicy | undefined,
  now: Date,
): KubeObject | undefined {
  const finalizers = finalizersFor(present.metadata.finalizers ?? [], policy);
  if (finalizers.length === 0) return undefined;
  const { generation, deletionTimestamp } = present.metadata;
  if (deletionTimestamp) return { ...present, metadata: { ...present.metadata, finalizers } };
  const metadata: ObjectMeta & { deletionGracePeriodSeconds: number } = {
    ...present.metadata,
    finalizers,
    deletionTimestamp: timestamp(now),
    deletionGracePeriodSeconds: 0,
  };
  if (generation) metadata.generation = generation + 1;
  return { ...present, metadata };
}

/** Its last finalizer is gone, and it was to be deleted. */
export const isFinished = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;

function finalizersFor(finalizers: string[], policy: PropagationPolicy | undefined): string[] {
  const asked = (wanted: PropagationPolicy, finalizer: string): boolean =>
    policy === undefined ? finalizers.includes(finalizer) : policy === wanted;
  const kept = finalizers.filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);
  if (asked('Orphan', orphanFinalizer)) kept.push(orphanFinalizer);
  if (asked('Foreground', foregroundFinalizer)) kept.push(foregroundFinalizer);
  return kept;
}
