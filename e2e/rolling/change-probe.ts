import { hash } from 'node:crypto';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';

interface Checksums extends KubeObject {
  data?: Record<string, string>;
}

const key = 'probe';

/**
 * Changes one Secret after the other, and measures how long it takes until the ConfigMap shows that it was reconciled.
 * A change that comes before the last one of the same Secret was seen waits for it.
 */
export class ChangeProbe {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #names: readonly string[];
  readonly #perSecond: number;
  readonly #open = new Map<string, { digest: string; at: number }>();
  #changes = 0;
  #tookMs: number[] = [];

  constructor(options: {
    client: ApiClient;
    namespace: string;
    names: readonly string[];
    perSecond: number;
  }) {
    this.#client = options.client;
    this.#namespace = options.namespace;
    this.#names = options.names;
    this.#perSecond = options.perSecond;
  }

  /** To be told of every ConfigMap that changed. */
  readonly seen = ({ metadata, data }: Checksums): void => {
    const name = metadata.name.replace(/^checksums-/, '');
    const open = this.#open.get(name);
    if (open === undefined || data?.[key] !== open.digest) return;
    this.#open.delete(name);
    this.#tookMs.push(performance.now() - open.at);
  };

  /** Until the signal is aborted. Never rejects but for a change that the API server refused. */
  async run(signal: AbortSignal): Promise<void> {
    const everyMs = 1_000 / this.#perSecond;
    const began = performance.now();
    for (let count = 0; !signal.aborted; count += 1) {
      const name = this.#names[(count * 7) % this.#names.length] ?? '';
      if (!this.#open.has(name)) await this.#change(name);
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

  /** Names of the Secrets whose last change was not seen to be reconciled. */
  get open(): string[] {
    return [...this.#open.keys()];
  }

  async #change(name: string): Promise<void> {
    const value = `${name}-${(this.#changes += 1)}`;
    this.#open.set(name, { digest: hash('sha256', value, 'hex'), at: performance.now() });
    const body = { data: { [key]: Buffer.from(value).toString('base64') } };
    await this.#client.patchMetadata(secrets, { namespace: this.#namespace, name }, { type: 'merge', body });
  }
}
