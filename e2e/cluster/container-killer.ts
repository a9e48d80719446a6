import { pods } from '@controller-sharding/shared/kube/resources.ts';
import { stringify } from 'yaml';
import { waitFor } from '../harness/wait-for.ts';
import { type Pod, restarts } from './pods.ts';
import type { SuiteCluster } from './suite-cluster.ts';

/**
 * Kills the process in a pod's container with SIGKILL. That can't be done from inside of the container, so it is done by a
 * pod that sees all processes of the node. Resolves when the container runs again, to the code that the first one ended with.
 */
export async function killContainer(
  cluster: SuiteCluster,
  pod: Pod,
  program: string,
): Promise<number | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  const name = `kill-${pod.metadata.name}`;
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    const read = (pid, what) => { try { return readFileSync('/proc/' + pid + '/' + what, 'utf8').split('\\0'); } catch { return []; } };
    const found = readdirSync('/proc').filter((pid) =>
      read(pid, 'environ').includes('HOSTNAME=${pod.metadata.name}') && read(pid, 'cmdline').includes('${program}'));
    for (const pid of found) process.kill(Number(pid), 'SIGKILL');
    process.exitCode = found.length === 1 ? 0 : 1;`;
  const killer = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: pod.spec.nodeName,
      hostPID: true,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'kill',
          image: cluster.image,
          command: ['/bin/node', '--input-type=module', '--eval', script],
          securityContext: { privileged: true, runAsUser: 0 },
        },
      ],
    },
  };
  const before = restarts(pod);
  await cluster.kubectl('apply -f -', stringify(killer));
  await cluster.kubectl(`-n default wait --for=jsonpath={.status.phase}=Succeeded pod/${name} --timeout=60s`);
  await cluster.kubectl(`-n default delete pod ${name}`);
  return waitFor(
    `${pod.metadata.name} to run again`,
    async () => {
      const now = await cluster.client.get<Pod>(pods, { namespace, name: pod.metadata.name });
      const status = now.status?.containerStatuses?.[0];
      return restarts(now) > before && status?.ready && status.lastState?.terminated?.exitCode;
    },
    { timeoutMs: 30_000 },
  );
}
