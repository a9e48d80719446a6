import { Readable } from 'node:stream';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { type MetricsPage, UnavailableError } from '@controller-sharding/shared/server/metrics-page.ts';
import { metricsText } from './metrics-text.ts';
import type { ObjectCaches } from './object-caches.ts';
import { shardFamilies } from './shard-metrics.ts';
import { themeFamilies } from './theme-metrics.ts';
import { websiteFamilies } from './website-metrics.ts';

/** Two Prometheus servers, each of which may have given up a scrape that still goes on. */
const mostAtOnce = 4;
/** Nobody who wants the answer takes longer: Prometheus' own default is 10 s. */
const longestMs = 60_000;

export interface ScrapesOptions {
  caches: ObjectCaches;
  /** True, or why the caches aren't complete yet. */
  ready(): boolean | string;
  /** The process's own metrics. */
  own: { readonly contentType: string; metrics(): Promise<string> };
  clock: Clock;
}

/** What /metrics shows: all objects as they are when it is asked for, then the process itself. */
export class Scrapes implements MetricsPage {
  readonly #options: ScrapesOptions;
  #underWay = 0;

  constructor(options: ScrapesOptions) {
    this.#options = options;
  }

  get contentType(): string {
    return this.#options.own.contentType;
  }

  /** Throws UnavailableError before the caches are complete, and while there are too many readers. */
  async metrics(): Promise<Readable> {
    const { ready, clock } = this.#options;
    const isReady = ready();
    if (isReady !== true) throw new UnavailableError(isReady || 'not ready');
    if (this.#underWay >= mostAtOnce) throw new UnavailableError(`${mostAtOnce} scrapes are under way`);
    this.#underWay += 1;
    const text = Readable.from(this.#text());
    const cancel = clock.after(longestMs, () => {
      text.destroy(new Error(`the scrape took longer than ${longestMs / 1000} s`));
    });
    text.once('close', () => {
      cancel();
      this.#underWay -= 1;
    });
    return text;
  }

  #text(): AsyncGenerator<string> {
    const { caches, clock, own } = this.#options;
    // Copies of the lists, not of what is in them: what changes while somebody reads is another object. Over a list
    // that changes, an object that is deleted and created again would be met twice.
    const [websites, themes, shards] = [caches.websites.list(), caches.themes.list(), caches.shards.list()];
    return (async function* () {
      const slice = new Slice(clock);
      yield* metricsText(websiteFamilies, websites, slice);
      yield* metricsText(themeFamilies, themes, slice);
      yield* metricsText(shardFamilies, shards, slice);
      yield own.metrics();
    })();
  }
}
