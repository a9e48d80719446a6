import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { shardProcess } from '@controller-sharding/shared/sharding/shard-process.ts';
import type { Secret } from './checksums.ts';
import { checksumReconciler } from './reconcile.ts';

await shardProcess<Secret>({
  name: 'checksum-operator',
  purpose: 'Keeps, for each Secret of its ring, a ConfigMap with the checksums of the data.',
  ring: 'checksum-controller',
  main: secrets,
  controlled: [configMaps],
  reconciler: checksumReconciler,
});
