import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import {
  type MutatingWebhookConfiguration,
  sameConfiguration,
  type WebhookEndpoint,
  webhookConfiguration,
} from './webhook-configuration.ts';

export interface WebhookConfigurationsOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  endpoint: WebhookEndpoint;
  /** PEM of the authority that signed the webhook's certificate now. */
  authority(): string;
}

/** The webhook configurations of all rings, as they are at the API server, and as they should be. */
export class WebhookConfigurations {
  readonly #options: WebhookConfigurationsOptions;
  readonly #informer: Informer<MutatingWebhookConfiguration>;
  readonly #listeners = new Set<(ring: string) => void>();

  constructor(options: WebhookConfigurationsOptions) {
    const { client, clock, logger } = options;
    this.#options = options;
    this.#informer = new Informer<MutatingWebhookConfiguration>({
      client,
      clock,
      logger,
      resource: mutatingWebhookConfigurations,
      form: 'full',
      labelSelector: ringLabel,
    });
    const tell = ({ metadata }: MutatingWebhookConfiguration): void => {
      const ring = metadata.labels?.[ringLabel];
      for (const listener of this.#listeners) if (ring !== undefined) listener(ring);
    };
    this.#informer.addHandler({ added: tell, updated: (_old, now) => tell(now), deleted: tell });
  }

  onChange(listener: (ring: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await this.#informer.waitForSync(signal);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  /** Writes the ring's configuration if it is not as it should be. */
  async ensure(ring: ControllerRing, signal: AbortSignal): Promise<void> {
    const { client, endpoint, authority } = this.#options;
    const wanted = webhookConfiguration(ring, endpoint, authority());
    const options = { signal, timeoutMs: sharderRequestMs };
    const existing =
      this.#informer.store.get(wanted.metadata.name) ?? (await this.#read(wanted.metadata.name, signal));
    if (existing === undefined) {
      await client.create(mutatingWebhookConfigurations, wanted, options);
      return;
    }
    if (sameConfiguration(existing, wanted)) return;
    const metadata = { ...existing.metadata, ...wanted.metadata };
    metadata.labels = { ...existing.metadata.labels, ...wanted.metadata.labels };
    await client.update(mutatingWebhookConfigurations, { ...wanted, metadata }, options);
  }

  async remove(ring: string, signal: AbortSignal): Promise<void> {
    const ref = { name: `controllerring-${ring}` };
    if (this.#informer.store.get(ref.name) === undefined) return;
    try {
      await this.#options.client.delete(mutatingWebhookConfigurations, ref, {
        signal,
        timeoutMs: sharderRequestMs,
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Also one that lost its label and so is not in the cache. */
  async #read(name: string, signal: AbortSignal): Promise<MutatingWebhookConfiguration | undefined> {
    try {
      return await this.#options.client.get(
        mutatingWebhookConfigurations,
        { name },
        { signal, timeoutMs: sharderRequestMs },
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
