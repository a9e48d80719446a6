/** The webhosting operator on a real control plane, installed by its manifests: what becomes of a Website. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { isInvalid } from '@controller-sharding/shared/kube/errors.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { waitFor } from '../harness/wait-for.ts';
import { WebsiteWorld } from './website-world.ts';

const label = shardLabel(resources.operatorName);

for (const mode of ['sharded', 'as a singleton'] as const) {
  test(`the life of a Website, ${mode}`, { timeout: 180_000 }, async (t) => {
    const world = await WebsiteWorld.start(t);
    const { client, controlPlane } = world;
    if (mode === 'sharded') await world.shards(['a', 'b']);
    else await Promise.all([world.replica('a'), world.replica('b')]);
    await world.theme('plain', 'darkblue');

    await t.test('it gets its children, and is ready', async () => {
      const created = await world.website('shop', 'plain');
      const { status } = await world.phase('shop', 'Ready');
      assert.match(status?.lastTransitionTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(created.metadata.labels?.[label] !== undefined, mode === 'sharded');
      for (const resource of resources.childResources) {
        const child = await world.child(resource, 'shop');
        assert.equal(child?.metadata.labels?.[label], created.metadata.labels?.[label], resource.resource);
        const [owner, ...others] = child?.metadata.ownerReferences ?? [];
        assert.deepEqual(others, []);
        assert.equal(owner?.uid, created.metadata.uid);
        assert.equal(owner?.controller, true);
      }
      assert.match(await world.html('shop'), /color: darkblue; font-family: "Georgia", serif;/);
      assert.equal((await world.child(resources.deployments, 'shop'))?.spec.replicas, 0);
      const table = await controlPlane.kubectl(['get', 'websites', '-n', 'project']);
      assert.match(table, /^NAME +THEME +PHASE +SINCE +AGE\nshop +plain +Ready /);
      assert.match(
        await controlPlane.kubectl(['get', 'themes']),
        /^NAME +COLOR +FONT FAMILY +AGE\nplain +darkblue /,
      );
    });

    await t.test('a Theme that changes is rendered in all its Websites', async () => {
      const others = ['blog', 'docs', 'wiki'];
      for (const name of others) await world.website(name, 'plain');
      for (const name of others) await world.phase(name, 'Ready');
      const body = { spec: { color: 'teal' } };
      await client.patch(resources.themes, { name: 'plain' }, { type: 'merge', body });
      for (const name of ['shop', ...others]) {
        await waitFor(`${name} to be teal`, async () => /color: teal/.test(await world.html(name)));
      }
    });

    await t.test('without its Theme it is an error, until the Theme is there', async () => {
      await world.website('late', 'missing');
      await world.phase('late', 'Error');
      assert.equal(await world.child(resources.configMaps, 'late'), undefined);
      await waitFor('the Event', async () =>
        /ThemeNotFound/.test(await controlPlane.kubectl(['events', '-n', 'project', '--for=website/late'])),
      );
      await world.theme('missing', '#123456');
      await world.phase('late', 'Ready');
      assert.match(await world.html('late'), /color: #123456/);
    });

    await t.test('what somebody changes or deletes of its children is put right', async () => {
      const drifts: [Resource, object][] = [
        [resources.configMaps, { data: { 'index.html': 'drifted', 'nginx.conf': '' } }],
        [resources.deployments, { spec: { replicas: 3 } }],
        [resources.services, { spec: { selector: { app: 'drifted' } } }],
        [resources.ingresses, { spec: { rules: [{ host: 'drifted.example.com' }] } }],
      ];
      for (const [resource, body] of drifts) {
        const before = await world.child(resource, 'shop');
        assert.ok(before);
        await client.patch(resource, before.metadata, { type: 'merge', body });
        const content = ({ metadata: _metadata, ...fields }: KubeObject) => fields;
        await waitFor(`${resource.resource} to be as before`, async () => {
          const now = await world.child(resource, 'shop');
          return now && JSON.stringify(content(now)) === JSON.stringify(content(before));
        });
        await client.delete(resource, before.metadata);
        await waitFor(`${resource.resource} to be there again`, () => world.child(resource, 'shop'));
      }
    });

    await t.test('its pods decide when it is ready', async () => {
      await world.website('real', 'plain', {});
      await world.phase('real', 'Pending');
      const deployment = await world.child(resources.deployments, 'real');
      assert.ok(deployment);
      assert.equal(deployment.spec.replicas, 1);
      const status = { replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 };
      const body = { status: { ...status, observedGeneration: deployment.metadata.generation } };
      await client.patchStatus(resources.deployments, deployment.metadata, { type: 'merge', body });
      await world.phase('real', 'Ready');
      const labels = { [resources.skipWorkloadLabel]: 'true' };
      await client.patch(resources.websites, world.ref('real'), {
        type: 'merge',
        body: { metadata: { labels } },
      });
      await waitFor('its pods to be given up', async () => {
        return (await world.child(resources.deployments, 'real'))?.spec.replicas === 0;
      });
      await world.phase('real', 'Ready');
    });

    await t.test('what is being deleted says so, and its children are not made anew', async () => {
      await controlPlane.kubectl([
        'delete',
        'website',
        'shop',
        '-n',
        'project',
        '--cascade=foreground',
        '--wait=false',
      ]);
      await world.phase('shop', 'Terminating');
      const service = await world.child(resources.services, 'shop');
      assert.ok(service);
      await client.delete(resources.services, service.metadata);
      // Another one is served meanwhile, by the same processes.
      for (const name of ['after-1', 'after-2', 'after-3']) {
        await world.website(name, 'plain');
        await world.phase(name, 'Ready');
      }
      assert.equal(await world.child(resources.services, 'shop'), undefined);
    });
    world.succeeded();
  });
}

test('what the definitions of Websites and Themes refuse, and what they take is served', {
  timeout: 120_000,
}, async (t) => {
  const world = await WebsiteWorld.start(t);
  await world.replica('a', '--ingress-host=sites.example.com', '--ingress-tls-secret=certificate');
  await world.theme('plain', 'red');

  const refused = (what: string, message: RegExp, create: () => Promise<unknown>) =>
    t.test(`refused: ${what}`, () =>
      assert.rejects(
        create(),
        (error) => isInvalid(error) && error instanceof Error && message.test(error.message),
      ),
    );
  for (const color of [
    'notacolor',
    'Red',
    '#12',
    '#12345',
    '#ggg',
    'red;background:blue',
    'red}',
    '</style><script>',
    'url(https://example.com)',
    'rgb(1,2)',
    'rgb(1,2,3);x:(',
    'rgb(1,2,3,4,5)',
    'var(--x)',
    'red\n',
  ])
    await refused(`color ${JSON.stringify(color)}`, /must be a CSS color/, () => world.theme('x', color));
  for (const font of [',', 'Arial,', "'Arial", 'a"b', 'x;y', 'x}', '</style>', 'x\\', 'url(x)', 'a\nb', ' '])
    await refused(`font ${JSON.stringify(font)}`, /must be CSS font families/, () =>
      world.theme('x', 'red', font),
    );
  await refused('a long font', /Too long|may not be/, () => world.theme('x', 'red', 'x'.repeat(201)));
  await refused('no font', /at least 1 char/, () => world.theme('x', 'red', ''));
  for (const theme of ['Plain', 'a b', '-a', 'a..b', '"', '../x'])
    await refused(`Theme name ${JSON.stringify(theme)}`, /must be the name of a Theme/, () =>
      world.website('x', theme),
    );
  await refused('no Theme', /at least 1 char/, () => world.website('x', ''));
  for (const name of ['1a', 'a.b'])
    await refused(`name ${JSON.stringify(name)}`, /begin with a letter/, () => world.website(name, 'plain'));
  await refused('a long name', /at most 56/, () => world.website('x'.repeat(57), 'plain'));
  await refused('another phase', /Unsupported value/, async () => {
    await world.website('phases', 'plain');
    const body = { status: { phase: 'Fine' } };
    await world.client.patchStatus(resources.websites, world.ref('phases'), { type: 'merge', body });
  });

  const taken: [color: string, font: string, css: string][] = [
    ['rebeccapurple', 'serif', 'color: rebeccapurple; font-family: serif;'],
    ['#fff', "'Open Sans', sans-serif", 'color: #fff; font-family: "Open Sans", sans-serif;'],
    ['#12345678', '"Fira Code" , monospace', 'color: #12345678; font-family: "Fira Code", monospace;'],
    ['rgb(1, 2, 3)', 'Größe', 'color: rgb(1, 2, 3); font-family: "Gr\\f6 \\df e";'],
    ['rgba(1,2,3,0.5)', 'X_1', 'color: rgba(1,2,3,0.5); font-family: "X_1";'],
    ['hsl(120deg 50% 50% / 20%)', 'a-b', 'color: hsl(120deg 50% 50% / 20%); font-family: "a-b";'],
  ];
  for (const [index, [color, font, css]] of taken.entries()) {
    await t.test(`taken: ${color}, ${font}`, async () => {
      const name = `taken-${index}`.padEnd(56, 'x');
      await world.theme(name, color, font);
      await world.website(name, name);
      await world.phase(name, 'Ready');
      assert.ok((await world.html(name)).includes(css));
      const ingress = await world.child(resources.ingresses, name);
      assert.partialDeepStrictEqual(ingress?.spec, {
        rules: [
          { host: 'sites.example.com', http: { paths: [{ path: `/project/${name}`, pathType: 'Prefix' }] } },
        ],
        tls: [{ hosts: ['sites.example.com'], secretName: 'certificate' }],
      });
    });
  }
  world.succeeded();
});
