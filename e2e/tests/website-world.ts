import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { controllerRings, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject, Labels, ObjectRef, TypedResource } from '@controller-sharding/shared/kube/types.ts';
import { sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const operatorNamespace = 'webhosting-system';
const account = `system:serviceaccount:${operatorNamespace}:${resources.operatorName}`;

export const namespace = 'project';
export const skipWorkload: Labels = { [resources.skipWorkloadLabel]: 'true' };

/** A control plane on which the webhosting operator is installed, and runs as its ServiceAccount. */
export class WebsiteWorld {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  readonly #kubeconfig: string;
  readonly #identities = new Map<string, string>();
  readonly #running = new Set<RunningProcess>();
  #succeeded = false;

  private constructor(t: TestContext, controlPlane: ControlPlane, transport: Transport, kubeconfig: string) {
    this.controlPlane = controlPlane;
    this.client = new KubeClient(transport);
    this.#kubeconfig = kubeconfig;
    t.after(async () => {
      await this.killAll();
      await transport.close();
      await controlPlane.stop({ failed: !this.#succeeded });
    });
  }

  static async start(t: TestContext): Promise<WebsiteWorld> {
    const controlPlane = await startControlPlane();
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    const kubeconfig = await controlPlane.userKubeconfig(account, [
      'system:serviceaccounts',
      `system:serviceaccounts:${operatorNamespace}`,
    ]);
    const world = new WebsiteWorld(t, controlPlane, transport, kubeconfig);
    await controlPlane.kubectl(['apply', '-k', path('manifests/crds')]);
    await controlPlane.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    await controlPlane.kubectl(['apply', '-k', path('manifests/operators/webhosting')]);
    await controlPlane.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    for (const [name, labels] of Object.entries({
      [sharderNamespace]: {},
      [namespace]: { [resources.projectLabel]: 'true' },
    })) {
      const { metadata } = namespaceNamed(name);
      await world.client.create<KubeObject>(namespaces, { metadata: { ...metadata, labels } });
    }
    return world;
  }

  /** A sharder with its webhook, with more fields of its configuration file, and so many shards, all of which the ring knows. */
  async shards(names: readonly string[], config: object = {}): Promise<RunningProcess[]> {
    const address = `127.0.0.1:${await freePort()}`;
    const { kubeconfigPath, logFolder } = this.controlPlane;
    const sharder = await startSharder({
      kubeconfigPath,
      logFolder,
      webhook: { server: { bindAddress: address }, config: { clientConfig: { url: `https://${address}` } } },
      config,
    });
    this.#running.add(sharder);
    const started = await Promise.all(names.map((name) => this.shard(name)));
    await waitFor('the ring to know its shards', async () => {
      const ref = { name: resources.operatorName };
      const { status } = await this.client.get<ControllerRing>(controllerRings, ref);
      return status?.availableShards === names.length;
    });
    return started;
  }

  /** The sharder and every operator, at once. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop('SIGKILL')));
  }

  /** One more with the same name is the same pod's next container. */
  shard(name: string, ...flags: string[]): Promise<RunningProcess> {
    const identity = this.#identities.get(name) ?? randomUUID();
    this.#identities.set(name, identity);
    return this.#operator(name, { POD_UID: identity }, [`--shard-name=${name}`, ...flags]);
  }

  /** One of several that aren't sharded. */
  replica(name: string, ...flags: string[]): Promise<RunningProcess> {
    return this.#operator(name, { POD_NAME: name }, ['--no-sharded', ...flags]);
  }

  async #operator(name: string, env: Record<string, string>, flags: string[]): Promise<RunningProcess> {
    const health = `127.0.0.1:${await freePort()}`;
    const running = await startProcess({
      name,
      args: [
        path('operator/webhosting/main.ts'),
        `--kubeconfig=${this.#kubeconfig}`,
        `--lease-namespace=${operatorNamespace}`,
        `--health-address=${health}`,
        '--metrics-address=0',
        ...flags,
      ],
      env: { NODE_ENV: 'production', ...env },
      logFile: join(this.controlPlane.logFolder, `${name}.log`),
      ready: { url: `http://${health}/readyz` },
    });
    this.#running.add(running);
    return running;
  }

  theme(name: string, color: string, fontFamily = 'Georgia, serif'): Promise<resources.Theme> {
    return this.client.create(resources.themes, { metadata: { name }, spec: { color, fontFamily } });
  }

  website(name: string, theme: string, labels: Labels = skipWorkload): Promise<resources.Website> {
    return this.client.create(resources.websites, {
      metadata: { name, namespace, labels },
      spec: { theme },
    });
  }

  ref(name: string): ObjectRef {
    return { namespace, name };
  }

  read(name: string): Promise<resources.Website> {
    return this.client.get(resources.websites, this.ref(name));
  }

  /** Waits until the Website is in that phase, for its present generation. */
  async phase(name: string, phase: resources.Phase, timeoutMs = 10_000): Promise<resources.Website> {
    let last: resources.Website | undefined;
    const look = async () => {
      last = await this.read(name);
      const { status, metadata } = last;
      return status?.phase === phase && status.observedGeneration === metadata.generation && last;
    };
    return waitFor(`${name} to be ${phase}`, look, { timeoutMs, everyMs: 20 }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`, { cause: error });
    });
  }

  /** What there is for a Website, of one of its resources. */
  async child<T extends KubeObject>(resource: TypedResource<T>, name: string): Promise<T | undefined> {
    const labelSelector = `website=${name}`;
    const { items } = await this.client.listPage<T>(resource, 'full', { namespace, labelSelector });
    if (items.length > 1) throw new Error(`${items.length} ${resource.resource} of ${name}`);
    return items[0];
  }

  async html(name: string): Promise<string> {
    return (await this.child(resources.configMaps, name))?.data['index.html'] ?? '';
  }

  /** Websites by shard. */
  async spread(): Promise<Map<string | undefined, number>> {
    const counts = new Map<string | undefined, number>();
    for await (const { items } of this.client.list(resources.websites, 'metadata')) {
      for (const { metadata } of items) {
        const shard = metadata.labels?.[shardLabel(resources.operatorName)];
        counts.set(shard, (counts.get(shard) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Requests that the API server has counted which write Websites or their children, by whomever, by verb and resource. */
  async writes(): Promise<Map<string, number>> {
    const names = new Set(['websites', ...resources.childResources.map(({ resource }) => resource)]);
    const counts = new Map<string, number>();
    const metrics = await this.controlPlane.kubectl(['get', '--raw', '/metrics']);
    for (const [, labels = '', value] of metrics.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
      const {
        verb = '',
        resource = '',
        subresource = '',
      } = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]));
      if (!names.has(resource) || /^(GET|LIST|WATCH|CONNECT)$/.test(verb)) continue;
      const key = [verb, resource, subresource].filter(Boolean).join(' ');
      counts.set(key, (counts.get(key) ?? 0) + Number(value));
    }
    return counts;
  }

  /** The logs need not be kept. */
  succeeded(): void {
    this.#succeeded = true;
  }
}
