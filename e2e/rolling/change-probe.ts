import { type Website, websites } from '@controller-sharding/operator/webhosting/resources.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';

/**
 * Gives one Website after the other its other Theme, and measures how long it takes until its status tells that it is
 * Ready so. A change that comes before the last one of the same Website was seen waits for it.
 */
export class ChangeProbe {
  readonly #client: ApiClient;
  readonly #perSecond: number;
  readonly #themes: readonly string[];
  /** As they were seen last, by name. */
  readonly #sites = new Map<string, Website>();
  readonly #open = new Map<string, { generation: number; at: number }>();
  #tookMs: number[] = [];

  /** `themes`: names of two. */
  constructor(options: { client: ApiClient; perSecond: number; themes: readonly string[] }) {
    this.#client = options.client;
    this.#perSecond = options.perSecond;
    this.#themes = options.themes;
  }

  /** To be told of every version of every Website. */
  readonly seen = (site: Website): void => {
    const { name } = site.metadata;
    this.#sites.set(name, site);
    const open = this.#open.get(name);
    if (open === undefined || !isReady(site, open.generation)) return;
    this.#open.delete(name);
    this.#tookMs.push(performance.now() - open.at);
  };

  /** Until the signal is aborted. Never rejects but for a change that the API server refused. */
  async run(signal: AbortSignal): Promise<void> {
    const everyMs = 1_000 / this.#perSecond;
    const names = [...this.#sites.keys()];
    const began = performance.now();
    for (let count = 0; !signal.aborted; count += 1) {
      const site = this.#sites.get(names[(count * 7) % names.length] ?? '');
      if (site && !this.#open.has(site.metadata.name)) await this.#change(site);
      const aheadMs = began + count * everyMs - performance.now();
      await systemClock.sleep(Math.max(0, aheadMs), signal).catch(() => undefined);
    }
  }

  /** What was measured since it was asked for last, in ms; what is still open counts with its age. */
  take(): { changes: number; medianMs: number; longestMs: number } {
    const now = performance.now();
    const all = [...this.#tookMs, ...[...this.#open.values()].map(({ at }) => now - at)].toSorted(
      (a, b) => a - b,
    );
    this.#tookMs = [];
    const at = (index: number): number => Math.round(all[index] ?? 0);
    return { changes: all.length, medianMs: at(Math.floor(all.length / 2)), longestMs: at(all.length - 1) };
  }

  /** Names of the Websites whose last change was not seen to be reconciled. */
  get open(): string[] {
    return [...this.#open.keys()];
  }

  async #change({ metadata, spec }: Website): Promise<void> {
    // Nobody else changes it: known before the answer, which may come after the Website is seen to be Ready.
    const generation = (metadata.generation ?? 0) + 1;
    this.#open.set(metadata.name, { generation, at: performance.now() });
    const body = { spec: { theme: this.#themes.find((name) => name !== spec.theme) } };
    await this.#client.patchMetadata(websites, metadata, { type: 'merge', body });
  }
}

/** For this generation of it, or a later one. */
export const isReady = ({ status }: Website, generation: number): boolean =>
  status?.phase === 'Ready' && (status.observedGeneration ?? 0) >= generation;
