import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import type { Hasher } from '../placement/rendezvous.ts';
import { type ControllerToRead, type Decision, decideAdmission, decideControlled } from './admission.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { WebhookSnapshots } from './webhook-snapshot.ts';

/**
 * Decides on a request to a ring's webhook: at once, or, when another object has to be read, by a promise. May throw;
 * whoever answers then lets the request pass.
 */
export type Decide = (ring: string, request: AdmissionRequest) => Decision | DecisionByRead;

/** What is to be read first; to be called once. */
export type DecisionByRead = (signal: AbortSignal) => Promise<Decision>;

export interface DecideOptions {
  hasher: Hasher;
  snapshots: Pick<WebhookSnapshots, 'get' | 'ageMs'>;
  client: Pick<ApiClient, 'getMetadata'>;
  /** Who the sharder is to the API server. */
  sharderUsername: string;
}

/** Decides from the snapshot; for a controlled object, its controller's metadata is read. */
export function createDecide({ hasher, snapshots, client, sharderUsername }: DecideOptions): Decide {
  return (ring, request) => {
    const snapshot = snapshots.get(ring);
    if (!snapshot) return { outcome: 'unknown-ring' };
    const view = { hasher, ageMs: snapshots.ageMs, sharderUsername };
    const decision = decideAdmission(request, snapshot, view);
    if (decision.outcome !== 'read-controller') return decision;
    return async (signal) =>
      decideControlled(request, decision, await readController(client, decision, signal), ring);
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
