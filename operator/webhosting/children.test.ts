import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta } from '@controller-sharding/shared/kube/types.ts';
import { children, type HostingOptions } from './children.ts';
import { pathOf } from './nginx-conf.ts';
import { serverName } from './server-labels.ts';
import { theme, website } from './website-fixture.ts';

const plain: HostingOptions = { skipWorkload: false };
const made = (metadata: Partial<ObjectMeta> = {}, options = plain, look = theme()) =>
  children(website(metadata), look, options);

test('all children have one name, the labels of the website, and belong to it', () => {
  const { name, uid } = website().metadata;
  for (const { metadata } of Object.values(made())) {
    assert.deepEqual(metadata, {
      name: 'shop-4a49ac',
      namespace: 'project',
      labels: { app: 'website', 'managed-by': 'webhosting-operator', server: 'shop-4a49ac', website: 'shop' },
      ownerReferences: [
        {
          apiVersion: 'webhosting.timebertt.dev/v1alpha1',
          kind: 'Website',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  }
});

test('a website that was created again has children of other names', () => {
  assert.notEqual(serverName(website({ uid: 'uid-2' })), serverName(website()));
  assert.match(serverName(website({ uid: 'uid-2' })), /^shop-[0-9a-f]{6}$/);
});

test('the same website and theme have the same children, and another theme other pods', () => {
  assert.deepEqual(made(), made());
  const [one, other] = [made(), made({}, plain, theme({ color: 'red' }))];
  assert.notDeepEqual(one.configMap.data, other.configMap.data);
  assert.notDeepEqual(one.deployment.spec.template.metadata, other.deployment.spec.template.metadata);
  assert.deepEqual(one.service, other.service);
  assert.deepEqual(one.ingress, other.ingress);
});

test('the status, labels and annotations of the website do not change the children', () => {
  const changed = website({
    labels: { team: 'x' },
    annotations: { note: 'y' },
    generation: 7,
    resourceVersion: '9',
  });
  assert.deepEqual(children({ ...changed, status: { phase: 'Ready' } }, theme(), plain), made());
});

test('pods are found by the Service, and by the Ingress through it', () => {
  const { deployment, service, ingress } = made();
  const { matchLabels } = deployment.spec.selector;
  assert.deepEqual(deployment.spec.template.metadata.labels, matchLabels);
  assert.deepEqual(service.spec, {
    selector: matchLabels,
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
  });
  assert.deepEqual(ingress.spec, {
    rules: [
      {
        http: {
          paths: [
            {
              path: '/project/shop',
              pathType: 'Prefix',
              backend: { service: { name: service.metadata.name, port: { name: 'http' } } },
            },
          ],
        },
      },
    ],
  });
});

test('host and certificate of the Ingress', () => {
  const { spec } = made(
    {},
    { ...plain, ingressHost: 'sites.example.com', ingressTlsSecret: 'certificate' },
  ).ingress;
  const { rules, tls }: { rules?: { host?: string }[]; tls?: object } = spec;
  assert.deepEqual(
    rules?.map(({ host }) => host),
    ['sites.example.com'],
  );
  assert.deepEqual(tls, [{ hosts: ['sites.example.com'], secretName: 'certificate' }]);
  assert.ok(!('tls' in made({}, { ...plain, ingressHost: 'sites.example.com' }).ingress.spec));
});

const workloads: [what: string, metadata: Partial<ObjectMeta>, options: HostingOptions, replicas: number][] =
  [
    ['no label', {}, plain, 1],
    ['the label', { labels: { 'skip-workload': 'true' } }, plain, 0],
    ['the label with another value', { labels: { 'skip-workload': 'false' } }, plain, 1],
    ['the flag for all', {}, { skipWorkload: true }, 0],
  ];
for (const [what, metadata, options, replicas] of workloads) {
  test(`with ${what}, there are ${replicas} pods`, () => {
    const { deployment, ingress } = made(metadata, options);
    assert.equal(deployment.spec.replicas, replicas);
    assert.equal('ingressClassName' in ingress.spec, replicas === 0);
  });
}

test('nginx answers at the path of the website, and nowhere else', () => {
  const conf = made().configMap.data['nginx.conf'] ?? '';
  assert.deepEqual(conf.match(/location .*/g), [
    'location = "/healthz" { access_log off; return 204; }',
    'location = "/project/shop" { try_files /index.html =404; }',
    'location = "/project/shop/" { try_files /index.html =404; }',
    'location / { return 404; }',
  ]);
});

for (const name of ['a"b', 'a b', 'a;b', 'a{', 'a/../b', '..', '.', '', '$uri', 'a\nb', 'A', '*']) {
  test(`${JSON.stringify(name)} gets into no path and no configuration`, () => {
    assert.throws(() => pathOf(website({ name })), TypeError);
    assert.throws(() => pathOf(website({ namespace: name })), TypeError);
    assert.throws(() => made({ name }), TypeError);
  });
}
