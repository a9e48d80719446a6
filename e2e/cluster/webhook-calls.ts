import assert from 'node:assert/strict';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type RingView, ring } from './ring-view.ts';
import type { SuiteCluster } from './suite-cluster.ts';

const ATTEMPTS = 20;

interface WebhookConfiguration extends KubeObject {
  webhooks: { clientConfig: { service?: { name: string; namespace: string }; caBundle?: string } }[];
}

/** The ring's webhook goes by the sharder's Service, and from now on answers each creation with a shard. */
export async function untilWebhookAnswers(cluster: SuiteCluster, view: RingView): Promise<void> {
  const configuration = await waitFor('the webhook', async () => {
    const name = `controllerring-${ring}`;
    return cluster.client
      .get<WebhookConfiguration>(mutatingWebhookConfigurations, { name })
      .catch(() => undefined);
  });
  const { service, caBundle } = configuration.webhooks[0]?.clientConfig ?? {};
  assert.deepEqual([service?.namespace, service?.name], ['sharding-system', 'sharder']);
  assert.ok(caBundle, 'it is trusted');
  let attempt = 0;
  await waitFor('a creation that is answered with a label', () => view.create(`first-${attempt++}`));
  for (let number = 0; number < ATTEMPTS; number += 1) {
    assert.ok(await view.create(`answered-${number}`), 'each answer has the label from now on');
  }
}
