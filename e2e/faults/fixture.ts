import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import type { ArmedFault } from '../fault-proxy/fault.ts';
import { FaultProxy } from '../fault-proxy/fault-proxy.ts';
import type { RequestKind } from '../fault-proxy/proxied-request.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { AcceleratedClock } from './accelerated-clock.ts';
import { type Contents, contentsOf } from './contents.ts';
import { type FaultCase, forever, on, refusal } from './fault-case.ts';
import { type ConfigMap, changesOfEveryKind, History } from './history.ts';
import { Story } from './story.ts';

const defaultSpeed = 10;
const stepEveryMs = 60;
/** For a fault to have happened, and for a store to be as the API server; both take a second or two. */
const patienceMs = 30_000;
const kinds: RequestKind[] = ['list', 'page', 'watch-list', 'watch'];

/** A control plane for all cases, and a way to it in which nothing goes wrong. */
export class FaultWorld implements AsyncDisposable {
  readonly controlPlane: ControlPlane;
  readonly direct: KubeClient;
  readonly #transport: Transport;
  #names = 0;

  static async start(): Promise<FaultWorld> {
    return new FaultWorld(await startControlPlane());
  }

  private constructor(controlPlane: ControlPlane) {
    this.controlPlane = controlPlane;
    this.#transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    this.direct = new KubeClient(this.#transport);
  }

  /** A proxy before the API server, and the kubeconfig file of its clients, who show the token in `tokenFile`. */
  async proxy(pageSize?: number): Promise<{ proxy: FaultProxy; kubeconfig: string; tokenFile: string }> {
    const { kubeconfigPath, dir } = this.controlPlane;
    const proxy = await FaultProxy.start({ kubeconfig: kubeconfigPath, pageSize });
    this.#names += 1;
    const kubeconfig = join(dir, `proxy-${this.#names}.kubeconfig`);
    const tokenFile = join(dir, `proxy-${this.#names}.token`);
    await writeFile(tokenFile, 'first');
    await writeFile(kubeconfig, proxy.kubeconfig({ tokenFile }));
    return { proxy, kubeconfig, tokenFile };
  }

  async namespace(): Promise<string> {
    this.#names += 1;
    const name = `case-${this.#names}`;
    await this.direct.create(namespaces, { metadata: { name } });
    return name;
  }

  /** What the API server has. */
  async contents(namespace: string): Promise<Contents> {
    const { items } = await this.direct.listPage<ConfigMap>(configMaps, 'full', { namespace });
    return contentsOf(items);
  }

  async stop(failed: boolean): Promise<void> {
    await this.#transport.close();
    await this.controlPlane.stop({ failed });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(false);
  }
}

/** The informer of a case over its proxy, and the history that it is to follow. */
export class CaseRun implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly #story = new Story<ConfigMap>();
  readonly #world: FaultWorld;
  readonly #case: FaultCase;
  readonly #namespace: string;
  readonly #history: History;
  readonly #tokenFile: string;
  readonly #clock: AcceleratedClock;
  readonly #transport: Transport;
  readonly #informer: Informer<ConfigMap>;
  readonly #rules: ArmedFault[];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  static async start(world: FaultWorld, faultCase: FaultCase): Promise<CaseRun> {
    const namespace = await world.namespace();
    const history = new History(world.direct, namespace);
    await history.begin();
    return new CaseRun(
      world,
      faultCase,
      namespace,
      history,
      await world.proxy(faultCase.paged ? 2 : undefined),
    );
  }

  private constructor(
    world: FaultWorld,
    faultCase: FaultCase,
    namespace: string,
    history: History,
    { proxy, kubeconfig, tokenFile }: Awaited<ReturnType<FaultWorld['proxy']>>,
  ) {
    this.#world = world;
    this.#case = faultCase;
    this.#namespace = namespace;
    this.#history = history;
    this.proxy = proxy;
    this.#tokenFile = tokenFile;
    if (faultCase.paged)
      proxy.arm({ when: on('watch-list'), times: forever, fault: refusal(422, 'Invalid') });
    this.#rules = (faultCase.rules ?? []).map((rule) => proxy.arm(rule));
    const clock = new AcceleratedClock(faultCase.speed ?? defaultSpeed);
    this.#clock = clock;
    this.#transport = new Transport(loadKubeConfig({ kubeconfig }), { clock });
    this.#informer = new Informer<ConfigMap>({
      client: new KubeClient(this.#transport),
      resource: configMaps,
      form: 'full',
      namespace,
      clock,
      logger: silentLogger,
    });
    this.#informer.addHandler(this.#story);
  }

  /** Runs the informer until it has its first list, or a fault keeps it from that. */
  async begin(): Promise<void> {
    this.#running = this.#informer.run(this.#stop.signal);
    await this.#until('the first list or fault', () => this.#informer.hasSynced || this.#faultCount() > 0);
  }

  /** Changes go on, at least one of each kind, until `fault` has ended. */
  async changeWhile(fault: Promise<void>): Promise<void> {
    const over = new AbortController();
    const ended = fault.finally(() => over.abort());
    ended.catch(() => {}); // told below
    for (let steps = 0; steps < changesOfEveryKind || !over.signal.aborted; steps += 1) {
      await this.#history.step();
      await systemClock.sleep(stepEveryMs);
    }
    await ended;
  }

  /** Makes a change of each kind. */
  async change(): Promise<void> {
    for (let steps = 0; steps < changesOfEveryKind; steps += 1) await this.#history.step();
  }

  /** The case's own fault, from the informer's start on. */
  async fault(): Promise<void> {
    const { act, forMs } = this.#case;
    if (act) {
      await this.#until('the first list', () => this.#informer.hasSynced);
      await act({
        proxy: this.proxy,
        clock: this.#clock,
        setToken: (token) => writeFile(this.#tokenFile, token),
      });
    }
    if (forMs === undefined) {
      await this.#until('each fault to happen', () => this.#rules.every((rule) => rule.over));
    } else {
      await systemClock.sleep(forMs);
      for (const rule of this.#rules) rule.disarm();
      assert.ok(
        this.#rules.every(({ acted }) => acted > 0),
        'a fault did not happen',
      );
    }
  }

  /** The store is as the API server, follows it on, and what handlers were told adds up to it; at a fair price. */
  async check(): Promise<void> {
    await this.#untilEqual();
    await this.change();
    await this.#untilEqual();
    assert.equal(this.#story.flaw(this.#informer.store), undefined);
    assert.ok(this.#story.told > changesOfEveryKind, 'the story is too short');
    for (const kind of kinds) {
      const most = this.#case.most[kind] ?? (kind === 'page' ? 2 * (this.#case.most.list ?? 0) : 0);
      assert.ok(
        this.proxy.received(kind) <= most,
        `${kind}: more than ${most} requests: ${this.#requests()}`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the case is over'));
    await this.#running;
    await this.#transport.close();
    await this.proxy.stop();
  }

  #faultCount(): number {
    return this.#rules.reduce((sum, { acted }) => sum + acted, 0);
  }

  #requests(): string {
    return kinds.map((kind) => `${this.proxy.received(kind)} ${kind}`).join(', ');
  }

  async #untilEqual(): Promise<void> {
    const server = await this.#world.contents(this.#namespace);
    const isEqual = (): boolean => {
      try {
        assert.deepEqual(contentsOf(this.#informer.store.list()), server);
        return true;
      } catch {
        return false;
      }
    };
    await this.#until('the store to be as the API server', isEqual).catch((error: unknown) => {
      assert.deepEqual(contentsOf(this.#informer.store.list()), server, String(error));
    });
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    await waitFor(what, holds, { timeoutMs: patienceMs, everyMs: 20, signal: this.#stop.signal }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)} (${this.#requests()})`, { cause: error });
      },
    );
  }
}

/** One case from its start to its end. */
export async function runCase(world: FaultWorld, faultCase: FaultCase): Promise<void> {
  await using run = await CaseRun.start(world, faultCase);
  await run.begin();
  await run.changeWhile(run.fault());
  await run.check();
}
