import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { ringLabel, stateLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { cachedMetadata } from './cached-metadata.ts';
import { type Family, labelText, type MetricRow } from './metrics-text.ts';

/** What is kept of a shard's Lease. */
export interface ShardRow extends KubeObject, MetricRow {
  uid: string;
  state: string;
}

const states = ['ready', 'expired', 'uncertain', 'dead', 'orphaned'];
/** No sharder has said yet how it is. */
const unknown = 'unknown';

export function shardRow({ metadata }: Lease): ShardRow {
  const { name, namespace = '', uid = '', labels = {} } = metadata;
  const state = labels[stateLabel] ?? '';
  return {
    metadata: cachedMetadata(metadata),
    identity: labelText({ namespace, shard: name, controllerring: labels[ringLabel] ?? '' }),
    uid,
    state: states.includes(state) ? state : unknown,
  };
}

export const shardFamilies: readonly Family<ShardRow>[] = [
  {
    name: 'kube_shard_info',
    help: 'Information about a shard',
    samples: ({ uid }) => [{ labels: { uid }, value: 1 }],
  },
  {
    name: 'kube_shard_state',
    help: 'What the sharder makes of a shard: 1 for the state that it is in, 0 for the others',
    samples: (shard) =>
      [...states, unknown].map((state) => ({ labels: { state }, value: shard.state === state ? 1 : 0 })),
  },
];
