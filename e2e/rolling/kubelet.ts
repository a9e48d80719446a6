import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { pods } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { type NodeAccess, PodProcess, type Program } from './pod-process.ts';

/** Runs the pods of a namespace as processes, each by what its label `program` names. */
export class Kubelet {
  readonly #node: NodeAccess;
  readonly #program: (label: string) => Program;
  readonly #pods = new Map<string, PodProcess>();
  readonly #ended = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** What failed when nobody was there to be told. */
  readonly errors: unknown[] = [];

  constructor(node: NodeAccess, namespace: string, program: (label: string) => Program) {
    this.#node = node;
    const { client } = node;
    this.#program = program;
    const informer = new Informer<KubeObject>({
      client,
      clock,
      logger,
      resource: pods,
      form: 'full',
      namespace,
    });
    const look = (pod: KubeObject): void => this.#look(pod);
    informer.addHandler({ added: look, updated: (_old, pod) => look(pod), deleted: look });
    this.#running = informer.run(this.#stop.signal);
  }

  /** Ends all processes at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all([...this.#pods.values()].map((pod) => pod.kill()));
    await Promise.all(this.#ended);
  }

  #look(pod: KubeObject): void {
    const { uid = '', deletionTimestamp, labels } = pod.metadata;
    const known = this.#pods.get(uid);
    if (known === undefined && deletionTimestamp === undefined) {
      this.#pods.set(uid, new PodProcess(this.#node, pod, this.#program(labels?.['program'] ?? '')));
    } else if (known !== undefined && deletionTimestamp !== undefined) {
      const ended = known
        .terminate()
        .catch((error: unknown) => void this.errors.push(error))
        .finally(() => {
          this.#pods.delete(uid);
          this.#ended.delete(ended);
        });
      this.#ended.add(ended);
    }
  }
}
