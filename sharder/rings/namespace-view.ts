import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { Labels, PartialObject } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';

/** The labels of all namespaces, by which rings select objects. */
export class NamespaceView {
  readonly #informer: Informer<PartialObject>;
  readonly #listeners = new Set<(old: Labels | undefined, now: Labels | undefined) => void>();

  constructor(options: { client: ApiClient; clock: Clock; logger: Logger }) {
    this.#informer = new Informer<PartialObject>({ ...options, resource: namespaces, form: 'metadata' });
    this.#informer.addHandler({
      updated: (old, now) => {
        if (isDeepStrictEqual(old.metadata.labels, now.metadata.labels)) return;
        for (const listener of this.#listeners) listener(old.metadata.labels, now.metadata.labels);
      },
    });
  }

  /** Undefined when there is no such namespace, or not yet in this view. */
  labels(namespace: string): Labels | undefined {
    const found = this.#informer.store.get(namespace);
    return found && (found.metadata.labels ?? {});
  }

  /** Calls back when the labels of an existing namespace have changed. */
  onRelabelled(listener: (old: Labels | undefined, now: Labels | undefined) => void): void {
    this.#listeners.add(listener);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#informer.waitForSync(signal);
  }
}
