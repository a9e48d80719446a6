import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { objectPath } from '@controller-sharding/shared/kube/paths.ts';
import { pods } from '@controller-sharding/shared/kube/resources.ts';
import type { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';

/** What a pod runs, by its name and uid. */
export interface Program {
  args(pod: { name: string; healthPort: number }): string[];
  env: Record<string, string>;
  logFile(name: string): string;
}

/** How a kubelet reaches the API server. */
export interface NodeAccess {
  client: ApiClient;
  transport: Pick<Transport, 'request'>;
}

const probeEveryMs = 500;
const probeTimeoutMs = 1_000;
const graceMs = 30_000;

/** One pod as a kubelet runs it: its process, its readiness as its probe tells it, and its end. */
export class PodProcess {
  readonly name: string;
  readonly #node: NodeAccess;
  readonly #pod: KubeObject;
  readonly #program: Program;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #process: RunningProcess | undefined;
  #ready = false;

  constructor(node: NodeAccess, pod: KubeObject, program: Program) {
    this.name = pod.metadata.name;
    this.#node = node;
    this.#pod = pod;
    this.#program = program;
    this.#running = this.#run();
  }

  /** SIGTERM, SIGKILL after 30 s; then the pod is removed. */
  async terminate(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    await this.#running;
    await this.#process?.stop('SIGTERM', graceMs);
    try {
      await this.#status({ phase: 'Succeeded', conditions: conditions(false) });
      await this.#remove();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** At once, and the API server isn't told. */
  async kill(): Promise<void> {
    this.#over.abort();
    await this.#running;
    await this.#process?.stop('SIGKILL');
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const { name, namespace = '', uid = '' } = this.#pod.metadata;
    const healthPort = await freePort();
    this.#process = await startProcess({
      name,
      args: this.#program.args({ name, healthPort }),
      env: { ...this.#program.env, POD_NAME: name, POD_NAMESPACE: namespace, POD_UID: uid },
      logFile: this.#program.logFile(name),
      restart: true,
    });
    await this.#status({ phase: 'Running', conditions: conditions(false) }).catch(() => undefined);
    void this.#probe(`http://127.0.0.1:${healthPort}/readyz`, signal).catch(() => undefined);
  }

  async #probe(url: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ready = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) }).then(
        async (answer) => {
          await answer.body?.cancel();
          return answer.ok;
        },
        () => false,
      );
      if (signal.aborted) return;
      if (ready !== this.#ready) {
        this.#ready = ready;
        await this.#status({ conditions: conditions(ready) });
      }
      await systemClock.sleep(probeEveryMs, signal);
    }
  }

  /** Only without a grace is a pod removed that is being deleted already. */
  async #remove(): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    const path = objectPath(pods, this.#pod.metadata);
    await this.#node.transport.request({ method: 'DELETE', path, body: JSON.stringify(body) });
  }

  async #status(status: object): Promise<void> {
    await this.#node.client.patchStatus(pods, this.#pod.metadata, { type: 'merge', body: { status } });
  }
}

function conditions(ready: boolean): object[] {
  const lastTransitionTime = new Date().toISOString();
  return ['Ready', 'ContainersReady'].map((type) => ({
    type,
    status: ready ? 'True' : 'False',
    lastTransitionTime,
  }));
}
