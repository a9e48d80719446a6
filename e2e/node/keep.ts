/** `keep.ts NODES ARCHIVE…`: a cluster that runs until this process is asked to end; tells its parent when it is up. */
import { copyFile, rm } from 'node:fs/promises';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { startCluster } from './cluster.ts';
import { clusterState } from './cluster-state.ts';

await runProcess('cluster', async (signal) => {
  const [nodes, ...images] = process.argv.slice(2);
  await using cluster = await startCluster({ nodes: Number(nodes), images, signal });
  try {
    await copyFile(cluster.kubeconfigPath, clusterState.kubeconfig);
    process.send?.('ready', () => process.disconnect());
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    await rm(clusterState.kubeconfig, { force: true });
  }
});
