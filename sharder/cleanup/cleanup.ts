import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import {
  ApiError,
  isConflict,
  isForbidden,
  isNotFound,
  messageOf,
} from '@controller-sharding/shared/kube/errors.ts';
import {
  controllerRings,
  leases,
  mutatingWebhookConfigurations,
} from '@controller-sharding/shared/kube/resources.ts';
import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { durationMsOf, holderOf, type Lease, sameClaim } from '@controller-sharding/shared/lease/lease.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import {
  drainLabel,
  pinLabel,
  ringLabel,
  sharderHolder,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { removeConfiguration, ringOf } from '../webhook/webhook-configurations.ts';

export interface CleanupOptions {
  client: Pick<ApiClient, 'getMetadata' | 'list' | 'patchMetadata' | 'delete'>;
  clock: Clock;
  ring: string;
  /** All that the API server serves. */
  resources: Iterable<Resource>;
  /** What is done, line by line, for people. */
  report(line: string): void;
}

/** Why a ring's labels can't be removed, or not all of them. */
export class CleanupError extends Error {
  override readonly name = 'CleanupError';
  readonly code = 'CLEANUP';
}

/**
 * Removes everything that a deleted ring has left: its labels from objects of all resources, its shards' Leases, its
 * webhook configuration. Throws CleanupError when the ring still exists, when shards of it still run, and in the end
 * when objects of some resource could not be read or changed.
 */
export async function cleanUp(options: CleanupOptions, signal: AbortSignal): Promise<void> {
  const { client, ring, report } = options;
  if (await ringExists(options, signal)) {
    throw new CleanupError(`the ring ${ring} still exists: kubectl delete controllerring ${ring}`);
  }
  const ended = await endedLeases(options, signal);
  await removeWebhook(options, signal);
  const failures: string[] = [];
  for (const resource of options.resources) {
    try {
      const count = await removeLabels(options, resource, signal);
      if (count > 0) report(`${resourceName(resource)}: removed the labels of ${count} objects`);
    } catch (error) {
      signal.throwIfAborted();
      if (!isNotListed(error)) failures.push(`${resourceName(resource)} (${messageOf(error)})`);
    }
  }
  for (const { metadata } of ended) {
    const { uid, resourceVersion } = metadata;
    await gone(client.delete(leases, metadata, { uid, resourceVersion, signal }));
  }
  if (ended.length > 0)
    report(`leases.coordination.k8s.io: deleted ${ended.length} of shards that have ended`);
  if (failures.length > 0) {
    throw new CleanupError(`labels may be left on objects of ${failures.join(', ')}: do it again`);
  }
  report(`nothing is left of the ring ${ring}`);
}

async function ringExists({ client, ring }: CleanupOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await client.getMetadata(controllerRings, { name: ring }, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false; // the definition of rings may be gone, too
    throw error;
  }
}

/** The ring's Leases, once each is released, taken from its shard, or has run out while this watched. */
async function endedLeases(options: CleanupOptions, signal: AbortSignal): Promise<Lease[]> {
  const { clock, ring, report } = options;
  const before = await leasesOf(options, signal);
  const held = before.filter((lease) => !['', sharderHolder].includes(holderOf(lease)));
  if (held.length === 0) return before;
  const waitMs = Math.max(...held.map(durationMsOf));
  report(`waiting for ${waitMs / 1_000} s to see whether ${held.length} shards still run`);
  await clock.sleep(waitMs, signal);
  const now = await leasesOf(options, signal);
  const known = new Map(held.map((lease) => [lease.metadata.uid, lease]));
  const running = now.filter((lease) => {
    const seen = known.get(lease.metadata.uid);
    if (['', sharderHolder].includes(holderOf(lease))) return false;
    return seen === undefined || !sameClaim(seen, lease);
  });
  if (running.length > 0) {
    const names = running.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted();
    throw new CleanupError(`shards of the ring ${ring} still run: stop them first (${names.join(', ')})`);
  }
  return now;
}

async function leasesOf({ client, ring }: CleanupOptions, signal: AbortSignal): Promise<Lease[]> {
  const found: Lease[] = [];
  const options = { labelSelector: `${ringLabel}=${ring}`, signal };
  for await (const { items } of client.list<Lease>(leases, 'full', options)) found.push(...items);
  return found;
}

async function removeWebhook({ client, ring, report }: CleanupOptions, signal: AbortSignal): Promise<void> {
  const options = { labelSelector: `${ringLabel}=${ring}`, signal };
  for await (const { items } of client.list(mutatingWebhookConfigurations, 'metadata', options)) {
    for (const configuration of items) {
      if (ringOf(configuration) !== ring) continue;
      await removeConfiguration(client, configuration, signal);
      report(`deleted the webhook configuration ${configuration.metadata.name}`);
    }
  }
}

/** Of how many objects. */
async function removeLabels(
  { client, ring }: CleanupOptions,
  resource: Resource,
  signal: AbortSignal,
): Promise<number> {
  const labels = [shardLabel(ring), drainLabel(ring), pinLabel(ring)];
  const without = Object.fromEntries(labels.map((label) => [label, null]));
  const remove = ({ metadata }: PartialObject): Promise<unknown> => {
    const body = { metadata: { uid: metadata.uid, labels: without } };
    return gone(client.patchMetadata(resource, metadata, { type: 'merge', body }, { signal }));
  };
  let count = 0;
  for (const labelSelector of labels) {
    for await (const { items } of client.list(resource, 'metadata', { labelSelector, signal })) {
      await Promise.all(items.map(remove));
      count += items.length;
    }
  }
  return count;
}

/** As `request`; that the object is gone, or another one, is fine. */
async function gone(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Some resources are only created, as reviews are, or are no longer served. */
const isNotListed = (error: unknown): boolean =>
  error instanceof ApiError && !isForbidden(error) && (error.status === 404 || error.status === 405);
