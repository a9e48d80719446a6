import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { events } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels } from '@controller-sharding/shared/kube/types.ts';
import { Manager } from '@controller-sharding/shared/manager/manager.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { addWebsiteController } from './controller.ts';
import type { ConfigMap, Deployment, Phase, Theme, Website } from './resources.ts';
import * as resources from './resources.ts';
import { theme, website } from './website-fixture.ts';

const ref = { namespace: 'project', name: 'shop' };

/** Websites in an API server in memory, and the operator as one process after the other. */
class Hosting {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, {
    resources: [{ ...resources.websites, statusSubresource: true }, { ...resources.themes }],
  });
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  async start(): Promise<void> {
    this.#stop = new AbortController();
    const { api: client, clock } = this;
    const manager = new Manager({ client, clock, logger: silentLogger, name: resources.operatorName });
    addWebsiteController(manager, { skipWorkload: false, workers: 2, clock });
    this.#running = manager.start(this.#stop.signal);
    await clock.advance(1_000);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(1_000);
    await this.#running;
  }

  website(labels: Labels = { 'skip-workload': 'true' }): void {
    const { metadata, ...fields } = website({ labels });
    const { name, namespace = '' } = metadata;
    this.api.seed(resources.websites, { ...fields, metadata: { name, namespace, labels } });
  }

  theme(color: string, name = 'plain'): void {
    this.api.seed(resources.themes, theme({ color }, name));
  }

  phase(): Phase | undefined {
    return this.api.peek<Website>(resources.websites, ref)?.status?.phase;
  }

  html(): string {
    const [configMap] = this.api.all<ConfigMap>(resources.configMaps);
    return configMap?.data['index.html'] ?? '';
  }

  told(): string[] {
    return this.api.all<KubeObject & { reason?: string }>(events).map(({ reason = '' }) => reason);
  }
}

async function started(color: string | undefined): Promise<Hosting> {
  const hosting = new Hosting();
  if (color !== undefined) hosting.theme(color);
  hosting.website();
  await hosting.start();
  return hosting;
}

test('a website gets its children, and is ready', async () => {
  const hosting = await started('red');
  for (const resource of resources.childResources) {
    const [child, ...others] = hosting.api.all<KubeObject>(resource);
    assert.deepEqual(others, []);
    assert.equal(child?.metadata.labels?.['website'], 'shop', resource.resource);
    assert.equal(child?.metadata.ownerReferences?.[0]?.name, 'shop');
  }
  assert.equal(hosting.phase(), 'Ready');
  const { status, metadata } = hosting.api.peek<Website>(resources.websites, ref) ?? website();
  assert.equal(status?.observedGeneration, metadata.generation);
  assert.match(status?.lastTransitionTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual(hosting.told(), []);
});

test('a restart writes nothing', async () => {
  const hosting = await started('red');
  await hosting.stop();
  const before = hosting.api.writes().length;
  assert.ok(before > 0);
  await hosting.start();
  assert.deepEqual(hosting.api.writes().slice(before), []);
});

test('a theme that changes is rendered again', async () => {
  const hosting = await started('red');
  assert.match(hosting.html(), /color: red/);
  hosting.api.change<Theme>(resources.themes, { name: 'plain' }, ({ spec }) => void (spec.color = 'blue'));
  await hosting.clock.advance(1_000);
  assert.match(hosting.html(), /color: blue/);
});

test('a website that gets another theme follows that one only', async () => {
  const hosting = await started('red');
  hosting.theme('green', 'other');
  hosting.api.change<Website>(resources.websites, ref, ({ spec }) => void (spec.theme = 'other'));
  await hosting.clock.advance(1_000);
  assert.match(hosting.html(), /color: green/);
  const before = hosting.api.requests.length;
  hosting.api.change<Theme>(resources.themes, { name: 'plain' }, ({ spec }) => void (spec.color = 'blue'));
  await hosting.clock.advance(1_000);
  assert.equal(hosting.api.requests.length, before);
});

test('without its theme a website is an error, until the theme is there', async () => {
  const hosting = await started(undefined);
  assert.equal(hosting.phase(), 'Error');
  assert.deepEqual(hosting.told(), ['ThemeNotFound']);
  assert.deepEqual(hosting.api.all(resources.deployments), []);
  hosting.theme('red');
  await hosting.clock.advance(1_000);
  assert.equal(hosting.phase(), 'Ready');
  hosting.api.remove(resources.themes, { name: 'plain' });
  await hosting.clock.advance(1_000);
  assert.equal(hosting.phase(), 'Error');
});

test('a theme whose values could break out of the stylesheet is an error', async () => {
  const hosting = await started('red; } </style>');
  assert.equal(hosting.phase(), 'Error');
  assert.deepEqual(hosting.told(), ['ThemeInvalid']);
  assert.deepEqual(hosting.api.all(resources.configMaps), []);
});

test('what somebody changes or deletes of the children is put right', async () => {
  const hosting = await started('red');
  const { api, clock } = hosting;
  for (const resource of resources.childResources) {
    const [child] = api.all<KubeObject>(resource);
    assert(child);
    api.change<KubeObject>(
      resource,
      child.metadata,
      ({ metadata }) => void (metadata.labels = { drifted: 'yes' }),
    );
    await clock.advance(1_000);
    const [put] = api.all<KubeObject>(resource);
    assert.deepEqual(put?.metadata.labels, { ...child.metadata.labels, drifted: 'yes' }, resource.resource);
    api.remove(resource, child.metadata);
    await clock.advance(1_000);
    assert.equal(api.all(resource).length, 1, resource.resource);
  }
});

test('the pods decide when a website is ready', async () => {
  const hosting = new Hosting();
  hosting.theme('red');
  hosting.website({});
  await hosting.start();
  assert.equal(hosting.phase(), 'Pending');
  const [deployment] = hosting.api.all<Deployment>(resources.deployments);
  assert(deployment);
  const rolledOut = (availableReplicas: number) => {
    hosting.api.change<Deployment>(resources.deployments, deployment.metadata, (object) => {
      const { generation: observedGeneration = 0 } = object.metadata;
      object.status = { observedGeneration, updatedReplicas: 1, availableReplicas };
    });
    return hosting.clock.advance(1_000);
  };
  await rolledOut(1);
  assert.equal(hosting.phase(), 'Ready');
  await rolledOut(0);
  assert.equal(hosting.phase(), 'Pending');
});

test('a website that is being deleted keeps its children as they are, and says so', async () => {
  const hosting = await started('red');
  const { api, clock } = hosting;
  api.change(resources.websites, ref, ({ metadata }) => void (metadata.finalizers = ['example.com/wait']));
  api.remove(resources.websites, ref);
  await clock.advance(1_000);
  assert.equal(hosting.phase(), 'Terminating');
  const [configMap] = api.all<ConfigMap>(resources.configMaps);
  assert(configMap);
  api.remove(resources.configMaps, configMap.metadata);
  await clock.advance(1_000);
  assert.deepEqual(api.all(resources.configMaps), []);
});

test('what the API server refuses is an error until it is taken; what fails by chance is tried again at once', async () => {
  const hosting = new Hosting();
  hosting.theme('red');
  await hosting.start();
  const failing = (error: ApiError) =>
    hosting.api.fault({
      on: ({ verb, resource }) => verb === 'patch' && resource.startsWith('ingresses.'),
      times: Infinity,
      error,
    });
  const letGo = failing(new ApiError(403, 'Forbidden', 'exceeded quota'));
  hosting.website();
  await hosting.clock.advance(5_000);
  assert.equal(hosting.phase(), 'Error');
  assert.deepEqual(hosting.told(), ['Refused']);
  letGo();
  await hosting.clock.advance(60_000);
  assert.equal(hosting.phase(), 'Ready');
  const goOn = failing(new ApiError(500, 'InternalError', 'try again'));
  hosting.api.change<Theme>(resources.themes, { name: 'plain' }, ({ spec }) => void (spec.color = 'blue'));
  hosting.api.remove(
    resources.ingresses,
    hosting.api.all<KubeObject>(resources.ingresses)[0]?.metadata ?? ref,
  );
  await hosting.clock.advance(1_000);
  assert.equal(hosting.phase(), 'Ready');
  goOn();
  await hosting.clock.advance(60_000);
  assert.equal(hosting.api.all(resources.ingresses).length, 1);
});
