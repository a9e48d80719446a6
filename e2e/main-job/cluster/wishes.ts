import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { ObjectRef } from '@controller-sharding/shared/kube/types.ts';
import {
  cordonedAnnotation,
  drainAnnotation,
  pinLabel,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import type { ShardWishes } from '../observer/events.ts';

/**
 * Writes them on the shard's Lease, as a user does with `kubectl annotate`; those at their default are removed. Returns
 * the Lease's resourceVersion.
 */
export async function wishShard(
  client: ApiClient,
  lease: ObjectRef,
  { weight, cordoned, draining }: Partial<ShardWishes>,
  signal: AbortSignal,
): Promise<string> {
  const annotations: Record<string, string | null> = {};
  if (weight !== undefined) annotations[weightAnnotation] = weight === 1 ? null : String(weight);
  if (cordoned !== undefined) annotations[cordonedAnnotation] = cordoned ? 'true' : null;
  if (draining !== undefined) annotations[drainAnnotation] = draining ? 'true' : null;
  const body = { metadata: { annotations } };
  const { metadata } = await client.patchMetadata(leases, lease, { type: 'merge', body }, { signal });
  return metadata.resourceVersion ?? '';
}

/** Labels the Secret as a user does with `kubectl label`; undefined: removes its pin. Returns its resourceVersion. */
export async function pinSecret(
  client: ApiClient,
  secret: ObjectRef,
  ring: string,
  shard: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const body = { metadata: { labels: { [pinLabel(ring)]: shard ?? null } } };
  const { metadata } = await client.patchMetadata(secrets, secret, { type: 'merge', body }, { signal });
  return metadata.resourceVersion ?? '';
}
