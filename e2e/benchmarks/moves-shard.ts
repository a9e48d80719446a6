/** A shard of `moves`: receives its objects, hands them over, and writes nothing else. */
import { runOperator } from '@controller-sharding/shared/manager/run-operator.ts';
import { childResource, ownerResource, ring } from './moves-objects.ts';

await runOperator({
  name: 'moves-shard',
  purpose: 'Reconciles nothing.',
  ring,
  setup({ manager, workers }) {
    manager.controller({
      name: 'nothing',
      for: ownerResource,
      owns: [childResource],
      concurrency: workers,
      reconcile: () => Promise.resolve(),
    });
  },
});
