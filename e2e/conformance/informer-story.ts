import { Informer, type InformerOptions } from '@controller-sharding/shared/kube/informer.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { Line } from './line.ts';
import type { Thing } from './recording-client.ts';
import type { Stage } from './stage.ts';

type Told = Record<string, KubeObject | KubeObject[]>;

/** An informer whose handler writes down what it is told. */
export class InformerStory {
  readonly line: Line;
  readonly informer: Informer<Thing>;
  readonly #stage: Stage;
  readonly #told: Told[] = [];
  readonly #controller = new AbortController();

  constructor(
    stage: Stage,
    resource: Resource,
    options: Partial<InformerOptions<Thing>> & { pageSize?: number } = {},
  ) {
    const { pageSize = 500, ...rest } = options;
    this.#stage = stage;
    this.line = new Line(stage.world.client, pageSize);
    this.informer = new Informer<Thing>({
      client: this.line,
      resource,
      form: 'full',
      namespace: stage.namespace,
      clock: stage.world.clock,
      random: () => 0,
      logger: silentLogger,
      ...rest,
    });
    this.informer.addHandler({
      added: (object) => this.#told.push({ added: object }),
      updated: (old, now) => this.#told.push({ updated: [old, now] }),
      deleted: (last) => this.#told.push({ deleted: last }),
    });
  }

  /** Runs it until the stage's end; resolves when the informer has its first list and watches. */
  async run(): Promise<void> {
    const running = this.informer.run(this.#controller.signal);
    this.#stage.onEnd(() => {
      this.#controller.abort();
      return running;
    });
    await this.#stage.world.until('the informer to have synced', () => this.informer.hasSynced);
    await this.watching();
  }

  async watching(): Promise<void> {
    await this.#stage.world.until('a watch', () => this.line.open > 0);
  }

  /** Cuts the line and waits until the informer has noticed. */
  async cut(): Promise<void> {
    this.line.cut();
    await this.#stage.world.until('the end of the watch', () => this.line.open === 0);
  }

  /** Waits until the handler has been told that many things. */
  async told(count: number): Promise<void> {
    await this.#stage.world.until(`${count} calls of the handler`, () => this.#told.length >= count);
  }

  /** Writes down what was asked, what was told and what is in the store. */
  note(): void {
    const store = this.informer.store.list().toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    this.#stage.note('the informer', { calls: this.line.calls, told: this.#told, store });
  }
}
