import type { ApiClient } from '../kube/api-client.ts';
import { isForbidden } from '../kube/errors.ts';
import { pods } from '../kube/resources.ts';
import type { ObjectRef } from '../kube/types.ts';
import type { Logger } from '../runtime/logger.ts';
import { slotNumber } from './slot-name.ts';

/** Of a ReplicaSet's pods, those of the least cost are deleted first when there are to be fewer. */
export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/** Less than that of any slot: nobody loses a worker when a spare goes. */
const spareCost = -10_000;
const requestMs = 2_000;

export interface DeletionCostOptions {
  client: Pick<ApiClient, 'patchMetadata'>;
  logger: Logger;
  ring: string;
  pod: ObjectRef;
}

/**
 * Has spares deleted first, then the pod of the highest slot, when the Deployment is scaled in; without a slot, the pod is
 * a spare. Never rejects: without the right to patch pods, the ReplicaSet chooses by itself.
 */
export async function tellDeletionCost(
  options: DeletionCostOptions,
  slot: string | undefined,
): Promise<void> {
  const { client, logger, ring, pod } = options;
  const cost = slot === undefined ? spareCost : -(slotNumber(ring, slot) ?? 0);
  const body = { metadata: { annotations: { [deletionCostAnnotation]: String(cost) } } };
  try {
    await client.patchMetadata(pods, pod, { type: 'merge', body }, { timeoutMs: requestMs, priority: true });
  } catch (error) {
    if (isForbidden(error))
      logger.info({ ring }, 'no right to patch pods: a scale-in may end the pod of any slot');
    else logger.warn({ err: error, ring }, 'could not say when this pod is to go in a scale-in');
  }
}
