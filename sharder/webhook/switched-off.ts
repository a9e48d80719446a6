import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isForbidden, messageOf } from '@controller-sharding/shared/kube/errors.ts';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { MutatingWebhookConfiguration } from './webhook-configuration.ts';
import { removeConfiguration, ringOf } from './webhook-configurations.ts';

export interface SwitchedOffOptions {
  client: Pick<ApiClient, 'list' | 'delete'>;
  clock: Clock;
  logger: Logger;
}

const retryMs = 10_000;

/**
 * For a leader without webhook: removes the configurations that were made while there was one, else every creation
 * would call where nobody answers. Ends when none is left, or when that is forbidden, which is told.
 */
export async function removeConfigurations(options: SwitchedOffOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  while (!signal.aborted) {
    try {
      await removeAll(options, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const fields = { reason: messageOf(error) };
      logger.warn(fields, 'configurations of the webhook, which is switched off, could not be removed');
      if (isForbidden(error)) return;
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}

async function removeAll({ client, logger }: SwitchedOffOptions, signal: AbortSignal): Promise<void> {
  const options = { labelSelector: ringLabel, signal, timeoutMs: sharderRequestMs };
  for await (const { items } of client.list<MutatingWebhookConfiguration>(
    mutatingWebhookConfigurations,
    'metadata',
    options,
  )) {
    for (const configuration of items) {
      const ring = ringOf(configuration);
      if (ring === undefined) continue;
      await removeConfiguration(client, configuration, signal);
      logger.info({ ring }, 'removed the configuration of the webhook, which is switched off');
    }
  }
}
