import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import type { RightsPlane } from './rbac-plane.ts';
import { orNone, type Scene } from './rbac-scene.ts';

const program = fileURLToPath(new URL('../../operator/exporter/main.ts', import.meta.url));
const account = { namespace: 'webhosting-system', name: 'webhosting-exporter' };

/** The exporter of the webhosting operator. */
export async function exporterScene(plane: RightsPlane): Promise<Scene> {
  const kubeconfig = await plane.kubeconfig(account);
  const port = await freePort();
  let running: RunningProcess | undefined;
  return {
    account,
    first: 'metrics of Websites are read',
    async begin() {
      const flags = [
        `--kubeconfig=${kubeconfig}`,
        `--lease-namespace=${account.namespace}`,
        '--health-address=0',
        `--metrics-address=127.0.0.1:${port}`,
      ];
      const logFile = join(plane.controlPlane.logFolder, 'exporter.log');
      running = await startProcess({ name: 'exporter', args: [program, ...flags], logFile });
    },
    async end() {
      await running?.stop('SIGKILL');
    },
    scenarios: {
      'metrics of Websites are read': {
        act: () => Promise.resolve(),
        async isDone() {
          const answer = await orNone(fetch(`http://127.0.0.1:${port}/metrics`));
          return answer?.status === 200 && (await answer.text()).includes('kube_website_info');
        },
      },
    },
  };
}
