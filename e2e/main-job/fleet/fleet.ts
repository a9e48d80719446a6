import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { freePort } from '../../harness/ports.ts';
import { leaderName, type ProcessEvent } from '../observer/events.ts';
import { Pod } from './pod.ts';
import { type Service, startService } from './service.ts';

const program = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Every process picks its own ports: many run on one machine. */
const common = { 'health-address': '127.0.0.1:0', 'metrics-address': '127.0.0.1:0', 'log-level': 'info' };

const flags = (values: Record<string, string>): string[] =>
  Object.entries({ ...values, ...common }).map(([name, value]) => `--${name}=${value}`);

export interface FleetOptions {
  clock: Clock;
  kubeconfig: string;
  ring: string;
  namespace: string;
  sharderNamespace: string;
  /** Gets the processes' logs and traces. */
  folder: string;
  /** Port of the webhook (0: a free one); undefined: no webhook. */
  webhookPort: number | undefined;
  /** For every process's environment. */
  env: Readonly<Record<string, string>>;
  emit(event: ProcessEvent): void;
  /** Is told of every trace file before its process starts. */
  traced(path: string): void;
}

/** The sharders and the operator's replicas, as processes. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #replicas: Pod[] = [];
  readonly #sharders: Pod[] = [];
  readonly #webhookPorts: number[] = [];
  #service: Service | undefined;
  #lastReplica = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts so many sharders. Throws PortError when the webhook's port can't be had. */
  async startSharders(count: number): Promise<void> {
    const { webhookPort } = this.#options;
    if (webhookPort !== undefined) this.#service = await startService(webhookPort, () => this.#webhookPorts);
    for (let number = 1; number <= count; number++) await this.#startSharder(`sharder-${number}`);
  }

  /** Replicas that were neither stopped nor killed, the oldest first. */
  get replicas(): string[] {
    return this.#replicas.filter(({ staying }) => staying).map(({ name }) => name);
  }

  /** Starts one more replica; returns its name. */
  async addReplica(): Promise<string> {
    const { kubeconfig, ring, namespace, folder } = this.#options;
    const name = `checksum-${++this.#lastReplica}`;
    const trace = join(folder, `${name}.trace`);
    this.#options.traced(trace);
    const args = (): string[] => [
      program('operator/checksum/main.ts'),
      ...flags({ kubeconfig, ring, 'shard-name': name, 'lease-namespace': namespace, 'trace-file': trace }),
    ];
    this.#replicas.push(await this.#start('replica', name, args, { POD_UID: randomUUID() }));
    return name;
  }

  async stopReplica(name: string): Promise<void> {
    await this.#replica(name).stop();
  }

  /** By SIGKILL, and it doesn't come back: as with a node that is lost. */
  async killReplica(name: string): Promise<void> {
    await this.#replica(name).kill({ forGood: true });
  }

  /** By SIGKILL; its supervisor starts it again under the same name and identity. */
  async crashReplica(name: string): Promise<void> {
    await this.#replica(name).kill({ forGood: false });
  }

  /** Kills the sharder that holds the Lease; it is started again. Returns its name, undefined when nobody leads. */
  async killLeader(holder: string): Promise<string | undefined> {
    const leader = this.#sharders.find(({ name }) => leaderName(holder) === name);
    await leader?.kill({ forGood: false });
    return leader?.name;
  }

  /** Processes that ended by themselves and were started again. */
  get restarts(): string[] {
    return [...this.#sharders, ...this.#replicas].flatMap(({ name, restarts }) =>
      restarts > 0 ? [`${name} ${restarts}`] : [],
    );
  }

  /** Ends everything: politely, so that Leases are released, or at once. */
  async stop({ politely }: { politely: boolean }): Promise<void> {
    const end = (pod: Pod): Promise<void> => (politely ? pod.stop() : pod.kill({ forGood: true }));
    await Promise.all([...this.#replicas, ...this.#sharders].filter(({ staying }) => staying).map(end));
    await this.#service?.close();
  }

  #replica(name: string): Pod {
    const pod = this.#replicas.find((replica) => replica.name === name);
    if (pod === undefined) throw new Error(`there is no replica ${name}`);
    return pod;
  }

  async #startSharder(name: string): Promise<void> {
    const { kubeconfig, sharderNamespace } = this.#options;
    const webhook: Record<string, string> = { webhook: 'false' };
    if (this.#service !== undefined) {
      const port = await freePort();
      this.#webhookPorts.push(port);
      webhook['webhook'] = 'true';
      webhook['webhook-address'] = `127.0.0.1:${port}`;
      // One address for both, as behind a Service: whoever of them lives answers.
      webhook['webhook-url'] = `https://127.0.0.1:${this.#service.port}`;
    }
    const args = (): string[] => {
      // Each process is a candidate of its own, as with a host name and a random part.
      const identity = `${name}_${randomBytes(4).toString('hex')}`;
      const command = [program('sharder/cli/main.ts'), 'run'];
      return [...command, ...flags({ kubeconfig, namespace: sharderNamespace, identity, ...webhook })];
    };
    this.#sharders.push(await this.#start('sharder', name, args, {}));
  }

  async #start(
    role: ProcessEvent['role'],
    name: string,
    args: () => string[],
    env: Record<string, string>,
  ): Promise<Pod> {
    const { clock, folder, emit } = this.#options;
    const logFile = join(folder, `${name}.log`);
    const pod = new Pod({ name, role, args, env: { ...this.#options.env, ...env }, logFile, clock, emit });
    await pod.start();
    return pod;
  }
}
