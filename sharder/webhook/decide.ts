import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import type { Hasher } from '../placement/rendezvous.ts';
import { type ControllerToRead, type Decision, decideAdmission, decideControlled } from './admission.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { WebhookSnapshot } from './webhook-snapshot.ts';

/** Decides on a request to a ring's webhook. May throw; whoever answers then lets the request pass. */
export type Decide = (ring: string, request: AdmissionRequest, signal: AbortSignal) => Promise<Decision>;

export interface DecideOptions {
  hasher: Hasher;
  /** What is known of a ring now; undefined when there is no such ring. */
  snapshot: (ring: string) => WebhookSnapshot | undefined;
  client: Pick<ApiClient, 'getMetadata'>;
}

/** Decides from the snapshot; for a controlled object, its controller's metadata is read. */
export function createDecide({ hasher, snapshot, client }: DecideOptions): Decide {
  return async (ring, request, signal) => {
    const known = snapshot(ring);
    if (!known) return { outcome: 'unknown-ring' };
    const decision = decideAdmission(request, known, hasher);
    if (decision.outcome !== 'read-controller') return decision;
    const controller = await readController(client, decision, signal);
    return decideControlled(request, decision, controller, ring);
  };
}

async function readController(
  client: Pick<ApiClient, 'getMetadata'>,
  { resource, ref }: ControllerToRead,
  signal: AbortSignal,
): Promise<PartialObject | undefined> {
  try {
    return await client.getMetadata(resource, ref, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
