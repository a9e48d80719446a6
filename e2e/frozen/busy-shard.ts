/**
 * For tests: a shard that writes all the time. Arguments: kubeconfig, ring, namespace, its name, and `fenced` or
 * `unfenced`: without the fence, to see what it keeps from happening.
 */
import { connect } from '@controller-sharding/shared/kube/connect.ts';
import * as resources from '@controller-sharding/shared/kube/resources.ts';
import { defineResource, type KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import { Manager } from '@controller-sharding/shared/manager/manager.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';

interface Counts extends KubeObject {
  data: { count: string };
}

const configMaps = defineResource<Counts>(resources.configMaps);
const writesPerReconcile = 5;
const pauseMs = 800;

const [kubeconfig, ring = '', namespace = '', name = '', fence] = process.argv.slice(2);

if (fence === 'unfenced') {
  WriteFence.prototype.permit = () => 4_000;
  Object.defineProperty(WriteFence.prototype, 'startableMs', { get: () => Number.MAX_SAFE_INTEGER });
}

await runProcess(name, async (signal) => {
  const connection = connect({ kubeconfig, userAgent: name, clock, registry: createRegistry() });
  const logger = createLogger({ level: 'info', name });
  const manager = new Manager({ client: connection.client, clock, logger, shard: { ring, name, namespace } });
  let count = 0;
  manager.controller({
    name: 'busy',
    for: resources.secrets,
    owns: [configMaps],
    concurrency: 10,
    reconcile: async ({ object, client }) => {
      const { apiVersion = '', kind = '', metadata } = object;
      const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
      for (let write = 0; write < writesPerReconcile; write += 1) {
        await client.apply(configMaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { namespace, name: metadata.name, ownerReferences: [owner] },
          data: { count: `${name} ${(count += 1)}` },
        });
        await clock.sleep(pauseMs);
      }
      return { kind: 'later', afterMs: pauseMs };
    },
  });
  await manager.start(signal);
  await connection.close();
});
