import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { isUnknownResource } from './errors.ts';
import { DiscoveryRestMapper } from './rest-mapping.ts';
import { answerJson, startTestServer, type TestServer } from './test-server.ts';
import { Transport } from './transport.ts';

const entry = (resource: string, kind: string, scope = 'Namespaced'): object => ({
  resource,
  responseKind: { kind },
  scope,
});

const core = { metadata: {}, versions: [{ version: 'v1', resources: [entry('secrets', 'Secret')] }] };
const apps = {
  metadata: { name: 'apps' },
  versions: [
    { version: 'v2', resources: [entry('deployments', 'Deployment')] },
    {
      version: 'v1',
      resources: [entry('deployments', 'Deployment'), entry('nodesets', 'NodeSet', 'Cluster')],
    },
  ],
};
const aggregated = (...items: object[]): object => ({ kind: 'APIGroupDiscoveryList', items });

async function mapperFor(
  t: TestContext,
  answer: (path: string) => unknown,
): Promise<{ mapper: DiscoveryRestMapper; server: TestServer; clock: FakeClock }> {
  const server = await startTestServer(t, ({ path }, response) => {
    const body = answer(path);
    answerJson(response, body ?? {}, body === undefined ? 404 : 200);
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  const clock = new FakeClock();
  return { mapper: new DiscoveryRestMapper(transport, clock), server, clock };
}

test('one aggregated discovery serves all lookups, of concurrent ones, too', async (t) => {
  const { mapper, server } = await mapperFor(t, (path) => aggregated(path === '/api' ? core : apps));
  const [secrets, deployments] = await Promise.all([
    mapper.resource('', 'secrets'),
    mapper.resource('apps', 'deployments'),
  ]);
  const secret = { group: '', version: 'v1', resource: 'secrets', kind: 'Secret', namespaced: true };
  assert.deepEqual(secrets, secret);
  assert.equal(deployments.version, 'v2');
  assert.deepEqual(
    server.received.map(({ path }) => path),
    ['/api', '/apis'],
  );
  assert.match(
    server.received[0]?.headers.accept ?? '',
    /g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList/,
  );
});

test('a resource that the preferred version does not have is found in another', async (t) => {
  const { mapper } = await mapperFor(t, (path) => aggregated(path === '/api' ? core : apps));
  assert.deepEqual(await mapper.resource('apps', 'nodesets'), {
    group: 'apps',
    version: 'v1',
    resource: 'nodesets',
    kind: 'NodeSet',
    namespaced: false,
  });
});

test('an unknown resource is looked for again, but not more often than every 5 s', async (t) => {
  let installed = false;
  const { mapper, server, clock } = await mapperFor(t, (path) =>
    path === '/api' || !installed ? aggregated(core) : aggregated(apps),
  );
  await assert.rejects(mapper.resource('apps', 'deployments'), isUnknownResource);
  installed = true;
  await clock.advance(4_999);
  await assert.rejects(mapper.resource('apps', 'deployments'), {
    message: 'the API server does not serve deployments.apps',
  });
  await mapper.resource('', 'secrets');
  assert.equal(server.received.length, 2);
  await clock.advance(1);
  assert.equal((await mapper.resource('apps', 'deployments')).kind, 'Deployment');
  assert.equal(server.received.length, 4);
});

test('a failed discovery is told, and tried again with the next lookup', async (t) => {
  let up = false;
  const { mapper } = await mapperFor(t, () => (up ? aggregated(core) : undefined));
  await assert.rejects(mapper.resource('', 'secrets'), { status: 404 });
  up = true;
  assert.equal((await mapper.resource('', 'secrets')).kind, 'Secret');
});

test('without aggregated discovery, groups and versions are asked one by one', async (t) => {
  const answers: Record<string, unknown> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': {
      resources: [
        { name: 'secrets', kind: 'Secret', namespaced: true },
        { name: 'pods/status', kind: 'Pod', namespaced: true },
      ],
    },
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'apps',
          versions: [{ version: 'v1beta1' }, { version: 'v1' }],
          preferredVersion: { version: 'v1' },
        },
        { name: 'gone', versions: [{ version: 'v1' }] },
      ],
    },
    '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] },
    '/apis/apps/v1beta1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] },
  };
  const { mapper } = await mapperFor(t, (path) => answers[path]);
  assert.equal((await mapper.resource('', 'secrets')).kind, 'Secret');
  assert.equal((await mapper.resource('apps', 'deployments')).version, 'v1');
  await assert.rejects(mapper.resource('', 'pods/status'), isUnknownResource);
});

test('a resource that came back with another scope and version is found within a minute', async (t) => {
  let document = aggregated(apps);
  const { mapper, clock } = await mapperFor(t, (path) => (path === '/api' ? aggregated(core) : document));
  assert.equal((await mapper.resource('apps', 'nodesets')).namespaced, false);
  document = aggregated({
    metadata: { name: 'apps' },
    versions: [{ version: 'v3', resources: [entry('nodesets', 'NodeSet')] }],
  });
  await clock.advance(59_999);
  assert.equal((await mapper.resource('apps', 'nodesets')).namespaced, false);
  await clock.advance(1);
  const found = await mapper.resource('apps', 'nodesets');
  assert.deepEqual([found.version, found.namespaced], ['v3', true]);
  await assert.rejects(mapper.resource('apps', 'deployments'), isUnknownResource);
});

test('what was known still serves when discovery fails', async (t) => {
  let up = true;
  const { mapper, clock } = await mapperFor(t, (path) =>
    up ? aggregated(path === '/api' ? core : apps) : undefined,
  );
  const secrets = await mapper.resource('', 'secrets');
  up = false;
  await clock.advance(60_000);
  assert.deepEqual(await mapper.resource('', 'secrets'), secrets);
});
