import { runOperator } from '@controller-sharding/shared/manager/run-operator.ts';
import { configMaps, reconcile, secrets } from './reconcile.ts';

await runOperator({
  name: 'checksum-operator',
  purpose: 'Keeps, for each Secret of its ring, a ConfigMap with the checksums of the data.',
  ring: 'checksum-controller',
  setup({ manager, workers }) {
    manager.controller({
      name: 'checksum',
      for: secrets,
      owns: [configMaps],
      concurrency: workers,
      reconcile,
    });
  },
});
