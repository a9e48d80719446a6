import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { KnownRing } from '../rings/rings.ts';
import {
  configurationName,
  correctedConfiguration,
  type MutatingWebhookConfiguration,
  type WebhookSettings,
  webhookConfiguration,
} from './webhook-configuration.ts';

export interface WebhookConfigurationsOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  /** As they are now; undefined while there is no certificate to serve with: then nothing is written. */
  settings(): WebhookSettings | undefined;
}

/** Somebody else wrote between the look and the write: looked at again. */
const attempts = 3;

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
    const tell = (configuration: MutatingWebhookConfiguration): void => {
      const ring = ringOf(configuration);
      if (ring !== undefined) this.tell(ring);
    };
    this.#informer.addHandler({ added: tell, updated: (_old, now) => tell(now), deleted: tell });
  }

  /** Calls back with the ring's name when its configuration may not be as it should be. */
  onChange(listener: (ring: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a ring's configuration should be has changed. */
  tell(ring: string): void {
    for (const listener of this.#listeners) listener(ring);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  /** Whether the API server was told to trust an authority (PEM) wherever it calls a ring's webhook. */
  trusted(authority: string): boolean {
    if (!this.#informer.hasSynced) return false;
    return [...this.#informer.store.values()]
      .filter((configuration) => ringOf(configuration) !== undefined)
      .flatMap(({ webhooks = [] }) => webhooks)
      .every(({ clientConfig: { caBundle = '' } }) =>
        Buffer.from(caBundle, 'base64').toString().includes(authority.trim()),
      );
  }

  /** Writes the ring's configuration if it is not as it should be. */
  async ensure(known: KnownRing, signal: AbortSignal): Promise<void> {
    const settings = this.#options.settings();
    if (settings === undefined) return;
    const wanted = webhookConfiguration(known, settings);
    const { name } = wanted.metadata;
    const cached = this.#informer.store.get(name);
    for (let attempt = 1; ; attempt += 1) {
      const existing = attempt === 1 && cached ? cached : await this.#read(name, signal);
      try {
        await this.#write(existing, wanted, signal);
        return;
      } catch (error) {
        const raced = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
        if (!raced || attempt === attempts) throw error;
      }
    }
  }

  async remove(ring: string, signal: AbortSignal): Promise<void> {
    const existing = this.#informer.store.get(configurationName(ring));
    if (existing) await removeConfiguration(this.#options.client, existing, signal);
  }

  async #write(
    existing: MutatingWebhookConfiguration | undefined,
    wanted: MutatingWebhookConfiguration,
    signal: AbortSignal,
  ): Promise<void> {
    const { client } = this.#options;
    const options = { signal, timeoutMs: sharderRequestMs };
    if (existing === undefined) {
      await client.create(mutatingWebhookConfigurations, wanted, options);
      return;
    }
    const corrected = correctedConfiguration(existing, wanted);
    if (corrected) await client.update(mutatingWebhookConfigurations, corrected, options);
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

/** The ring that a configuration was made for; undefined when it is not one of the sharder's. */
export function ringOf({ metadata }: MutatingWebhookConfiguration): string | undefined {
  const ring = metadata.labels?.[ringLabel];
  return ring !== undefined && metadata.name === configurationName(ring) ? ring : undefined;
}

/** Deletes exactly this one, not another one that has come to its name. */
export async function removeConfiguration(
  client: Pick<ApiClient, 'delete'>,
  { metadata: { name, uid } }: MutatingWebhookConfiguration,
  signal: AbortSignal,
): Promise<void> {
  try {
    const options = { uid, signal, timeoutMs: sharderRequestMs };
    await client.delete(mutatingWebhookConfigurations, { name }, options);
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
