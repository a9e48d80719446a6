import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Phase, Website } from '../webhosting/resources.ts';
import { cachedMetadata } from './cached-metadata.ts';
import { type Family, labelText, type MetricRow } from './metrics-text.ts';

/** What is kept of a Website. */
export interface WebsiteRow extends KubeObject, MetricRow {
  theme: string;
  shard: string;
  drain: string;
  generation: number;
  observedGeneration: number;
  phase: Phase | undefined;
}

/** `ring`: of the operator's shards. */
export function websiteRow(ring: string): (website: Website) => WebsiteRow {
  const [shard, drain] = [shardLabel(ring), drainLabel(ring)];
  return ({ metadata, spec, status }) => {
    const { name, namespace = '', uid = '', labels = {}, generation = 0 } = metadata;
    return {
      metadata: cachedMetadata(metadata),
      identity: labelText({ namespace, website: name, uid }),
      theme: spec.theme,
      shard: labels[shard] ?? '',
      drain: labels[drain] ?? '',
      generation,
      observedGeneration: status?.observedGeneration ?? 0,
      phase: status?.phase,
    };
  };
}

const phases: readonly Phase[] = ['Pending', 'Ready', 'Error', 'Terminating'];

export const websiteFamilies: readonly Family<WebsiteRow>[] = [
  {
    name: 'kube_website_info',
    help: 'Information about a Website',
    samples: ({ theme }) => [{ labels: { theme }, value: 1 }],
  },
  {
    name: 'kube_website_shard',
    help: 'The shard of a Website, and where its drain is to take it',
    samples: ({ shard, drain }) => [{ labels: { shard, drain }, value: 1 }],
  },
  {
    name: 'kube_website_metadata_generation',
    help: 'The generation of the spec of a Website',
    samples: ({ generation }) => [{ value: generation }],
  },
  {
    name: 'kube_website_observed_generation',
    help: 'The generation that the status of a Website is about',
    samples: ({ observedGeneration }) => [{ value: observedGeneration }],
  },
  {
    name: 'kube_website_status_phase',
    help: 'The phase of a Website: 1 for the one that it is in, 0 for the others',
    samples: (website) =>
      phases.map((phase) => ({ labels: { phase }, value: website.phase === phase ? 1 : 0 })),
  },
];
