import assert from 'node:assert/strict';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import type { ObjectMeta, Resource } from '@controller-sharding/shared/kube/types.ts';
import { RecordedWatch, type WatchedOptions } from './recorded-watch.ts';
import { RecordingClient, type Thing } from './recording-client.ts';
import { type Entry, normalised } from './transcript.ts';
import type { World } from './world.ts';

/** Something that is done to an API server; what it answers is the transcript. */
export interface Scenario {
  name: string;
  play(stage: Stage): Promise<void>;
}

/** Where a scenario plays: a namespace of its own. Its functions need no `this`. */
export class Stage {
  readonly world: World;
  readonly namespace: string;
  readonly api: RecordingClient;
  readonly #namespaces: string[];
  readonly #entries: Entry[] = [];
  readonly #closers: Array<() => Promise<unknown>> = [];

  private constructor(world: World, namespace: string) {
    this.world = world;
    this.namespace = namespace;
    this.#namespaces = [namespace];
    this.api = new RecordingClient(world.client, namespace, this.#entries);
  }

  /** Plays a scenario and returns its transcript. */
  static async play(world: World, { play }: Scenario): Promise<Entry[]> {
    const stage = new Stage(world, await world.namespace());
    try {
      await play(stage);
    } finally {
      await Promise.all(stage.#closers.map((close) => close()));
    }
    return normalised(stage.#entries, stage.#namespaces);
  }

  /** Asserts that the API server refuses with this status and reason. */
  readonly refused = async (expected: string, asked: Promise<unknown>): Promise<void> => {
    await assert.rejects(asked, (error) => {
      if (!(error instanceof ApiError)) return false;
      assert.equal(`${error.status} ${error.reason}`, expected, error.message);
      return true;
    });
  };

  /** Leaves it to the transcript whether the API server refuses. */
  readonly attempt = async (asked: Promise<unknown>): Promise<void> => {
    await asked.catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  };

  /** Begins a watch; `seen` writes down what it saw. */
  readonly watch = (resource: Resource, options: WatchedOptions = {}): RecordedWatch => {
    const watch = new RecordedWatch(this.world, resource, this.namespace, options);
    this.onEnd(() => watch.close());
    return watch;
  };

  /** Ends a watch after that many events, and writes down what it saw. */
  readonly seen = async (watch: RecordedWatch, count: number): Promise<void> => {
    await watch.take(count);
    this.#entries.push(await watch.close());
  };

  /** Writes down something else that was seen. */
  readonly note = (did: string, saw: unknown): void => {
    this.#entries.push({ did, saw: structuredClone(saw) });
  };

  /** Another namespace. */
  readonly elsewhere = async (): Promise<string> => {
    const name = await this.world.namespace();
    this.#namespaces.push(name);
    return name;
  };

  onEnd(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }
}

/** A ConfigMap, or whatever takes data. */
export const thing = (
  name: string,
  metadata: Partial<ObjectMeta> = {},
  data?: Record<string, string>,
): Thing => ({
  metadata: { name, ...metadata },
  ...(data && { data }),
});

/** A custom object. */
export const custom = (
  name: string,
  spec?: Record<string, unknown>,
  metadata: Partial<ObjectMeta> = {},
): Thing => ({
  metadata: { name, ...metadata },
  ...(spec && { spec }),
});
