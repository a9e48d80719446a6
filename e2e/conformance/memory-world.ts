import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { customResources, type Webhook, type World } from './world.ts';

/** Time passes in steps of this, so that what is awaited is seen close to its time. */
const stepsMs = [0, 0, 1, 10, 100, 500];
const maxSteps = 500;

/** The API server in memory, on virtual time. */
export class MemoryWorld implements World {
  readonly clock = new FakeClock();
  readonly client: MemoryApi;
  #namespaces = 0;

  constructor() {
    this.client = new MemoryApi(this.clock, {
      resources: customResources.map(({ resource, statusSubresource }) => ({
        ...resource,
        statusSubresource,
        lists: { 'status.conditions': ['type'] },
      })),
      checkNamespaces: true,
      garbageCollectionMs: 10,
    });
    this.client.compact();
  }

  async namespace(): Promise<string> {
    const name = `conformance-${(this.#namespaces += 1)}-memory`;
    await this.client.create(namespaces, { metadata: { name } });
    return name;
  }

  async until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
    for (let step = 0; step < maxSteps; step += 1) {
      if (await look()) return;
      await this.clock.advance(stepsMs[step] ?? stepsMs.at(-1) ?? 0);
    }
    throw new Error(`waited in vain for ${what}`);
  }

  async expired(continueToken: string): Promise<string> {
    this.client.compact();
    return continueToken;
  }

  async webhook({ namespace, operations, resources, label, answer }: Webhook): Promise<void> {
    this.client.mutatingWebhook({
      name: `${namespace}.conformance.example.com`,
      rules: resources.map((resource) => ({ operations, resource })),
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      ...(label !== undefined && {
        objectSelector: { matchExpressions: [{ key: label, operator: 'Exists' }] },
      }),
      handle: ({ operation, name, object, oldObject }) => {
        const review = { operation, name, object: object ?? undefined, oldObject: oldObject ?? undefined };
        const verdict = answer(review);
        if ('denied' in verdict) return { allowed: false, status: { code: 403, message: verdict.denied } };
        return { allowed: true, patch: verdict.patch };
      },
    });
  }
}
