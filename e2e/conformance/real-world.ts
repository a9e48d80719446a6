import { request } from 'node:http';
import { join } from 'node:path';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import {
  configMaps,
  customResourceDefinitions,
  namespaces,
} from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { Resource } from '@controller-sharding/shared/kube/types.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { definitionOf } from './definitions.ts';
import { WebhookServer } from './webhook-server.ts';
import { customResources, type Webhook, type World } from './world.ts';

/** A control plane of its own, whose history begins with its API server's second start. */
export class RealWorld implements World, AsyncDisposable {
  readonly clock = systemClock;
  readonly client: KubeClient;
  readonly controlPlane: ControlPlane;
  readonly #transport: Transport;
  readonly #webhooks: WebhookServer;
  #namespaces = 0;

  private constructor(controlPlane: ControlPlane, webhooks: WebhookServer) {
    this.controlPlane = controlPlane;
    this.#webhooks = webhooks;
    const { kubeconfigPath: kubeconfig } = controlPlane;
    this.#transport = new Transport(loadKubeConfig({ kubeconfig }), { clock: systemClock });
    this.client = new KubeClient(this.#transport);
  }

  static async start(): Promise<RealWorld> {
    const controlPlane = await startControlPlane({ controllerManager: true });
    const world = new RealWorld(controlPlane, await WebhookServer.start());
    try {
      await world.#prepare();
      return world;
    } catch (error) {
      await world.stop({ failed: true });
      throw error;
    }
  }

  /** For a test file: stopped after it, its logs kept when the file failed. */
  async stop(options?: { failed: boolean }): Promise<void> {
    await this.#webhooks.close();
    await this.#transport.close();
    await this.controlPlane.stop(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async namespace(): Promise<string> {
    const name = `conformance-${(this.#namespaces += 1)}-real`;
    await this.client.create(namespaces, { metadata: { name } });
    return name;
  }

  async until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
    await waitFor(what, look, { timeoutMs: 20_000, everyMs: 5 });
  }

  async expired(continueToken: string): Promise<string> {
    const token: object = JSON.parse(Buffer.from(continueToken, 'base64url').toString());
    return Buffer.from(JSON.stringify({ ...token, rv: 2 })).toString('base64url');
  }

  webhook(webhook: Webhook): Promise<void> {
    return this.#webhooks.register(this.client, webhook);
  }

  /** Defines the custom resources, then makes the API server forget its history: compacted, and started anew. */
  async #prepare(): Promise<void> {
    for (const { resource, statusSubresource } of customResources) {
      await this.client.create(customResourceDefinitions, definitionOf(resource, statusSubresource));
    }
    for (const { resource } of customResources) {
      await waitFor(`${resource.resource} to be served`, () =>
        this.client.listPage(resource, 'metadata', {}).then(
          () => true,
          () => false,
        ),
      );
    }
    const { resourceVersion } = await this.client.listPage(configMaps, 'metadata', {});
    await this.#compact(resourceVersion);
    await this.controlPlane.apiServer.stop('SIGTERM');
    await this.controlPlane.apiServer.start();
    for (const { resource } of customResources) await this.#untilWatched(resource);
  }

  /** A started API server refuses watches of custom resources (429) until it has read what there is. */
  async #untilWatched(resource: Resource): Promise<void> {
    const { signal } = new AbortController();
    await waitFor(`watches of ${resource.resource}`, async () => {
      try {
        const options = { signal, sendInitialEvents: true, timeoutSeconds: 10 };
        for await (const _ of this.client.watch(resource, 'metadata', options)) return true;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    });
  }

  /** Through etcd's own gateway from HTTP. */
  #compact(revision: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socketPath = join(this.controlPlane.dir, 'etcd.sock');
    const options = { socketPath, path: '/v3/kv/compaction', method: 'POST' };
    const asked = request(options, (response) => {
      response.resume();
      if (response.statusCode === 200) response.once('end', resolve);
      else reject(new Error(`etcd did not compact: ${response.statusCode}`));
    });
    asked.once('error', reject);
    asked.end(JSON.stringify({ revision, physical: true }));
    return promise;
  }
}
