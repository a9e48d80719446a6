/** The exporter on a real control plane, installed by its manifests; its text, and those of the others, as promtool sees them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { freePort } from '../harness/ports.ts';
import { startProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespace, WebsiteWorld } from './website-world.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const operatorNamespace = 'webhosting-system';
const shardNames = ['a', 'b'];
// Outside of the test, whose time is not meant for building it.
const { promtool } = await ensureBinaries(['promtool']);

interface Checked {
  code: number;
  errors: string;
}

/** What `promtool check metrics` says of a text. Code 1: it can't be read; 3: names or samples aren't as they should be. */
const checkMetrics = (text: string): Promise<Checked> =>
  new Promise((resolve, reject) => {
    const child = execFile(promtool, ['check', 'metrics'], { timeout: 30_000 }, (_error, _output, errors) =>
      resolve({ code: child.exitCode ?? -1, errors }),
    );
    child.once('error', reject);
    child.stdin?.end(text);
  });

async function scrape(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(answer.status, 200);
  return answer.text();
}

/** Starts it as its ServiceAccount; the port of its metrics. */
async function startExporter(t: TestContext, { controlPlane }: WebsiteWorld): Promise<number> {
  await controlPlane.kubectl(['apply', '-k', path('manifests/operators/webhosting-exporter')]);
  const kubeconfig = await controlPlane.userKubeconfig(
    `system:serviceaccount:${operatorNamespace}:webhosting-exporter`,
    ['system:serviceaccounts', `system:serviceaccounts:${operatorNamespace}`],
  );
  const [health, metrics] = [await freePort(), await freePort()];
  const running = await startProcess({
    name: 'exporter',
    args: [
      path('operator/exporter/main.ts'),
      `--kubeconfig=${kubeconfig}`,
      `--lease-namespace=${operatorNamespace}`,
      `--health-address=127.0.0.1:${health}`,
      `--metrics-address=127.0.0.1:${metrics}`,
    ],
    env: { NODE_ENV: 'production' },
    logFile: join(controlPlane.logFolder, 'exporter.log'),
    ready: { url: `http://127.0.0.1:${health}/readyz` },
  });
  t.after(() => running.stop('SIGKILL'));
  return metrics;
}

test('Websites, Themes and shards appear with the right values', { timeout: 240_000 }, async (t) => {
  const world = await WebsiteWorld.start(t);
  const { client } = world;
  const [sharderPort, shardPort] = [await freePort(), await freePort()];
  const [a] = await world.shards(shardNames, { metrics: { bindAddress: `127.0.0.1:${sharderPort}` } });
  await world.shard('c', `--metrics-address=127.0.0.1:${shardPort}`);
  const port = await startExporter(t, world);
  /** Waits until these samples are there. */
  const shows = (...samples: string[]): Promise<string> => {
    let missing: string[] = samples;
    return waitFor(`samples of the exporter`, async () => {
      const text = await scrape(port);
      const lines = new Set(text.split('\n'));
      missing = samples.filter((sample) => !lines.has(sample));
      return missing.length === 0 && text;
    }).catch((error: unknown) => {
      throw new Error(`there is no ${missing.join('\n')}`, { cause: error });
    });
  };
  const theme = await world.theme('plain', 'darkblue', `"Open Sans", 'Ünï', serif`);
  const look = `theme="plain",uid="${theme.metadata.uid}"`;

  await t.test('Themes', async () => {
    await shows(
      `kube_theme_info{${look},color="darkblue",font_family="\\"Open Sans\\", 'Ünï', serif"} 1`,
      `kube_theme_metadata_generation{${look}} 1`,
    );
    const body = { spec: { color: 'teal' } };
    await client.patch(resources.themes, { name: 'plain' }, { type: 'merge', body });
    const text = await shows(`kube_theme_metadata_generation{${look}} 2`);
    assert.equal(text.match(/^kube_theme_info\{.*color="teal"/gm)?.length, 1);
    assert.doesNotMatch(text, /darkblue/);
  });

  await t.test('Websites', async () => {
    await world.website('shop', 'plain');
    await world.website('late', 'missing');
    const shop = await world.phase('shop', 'Ready');
    const late = await world.phase('late', 'Error');
    for (const { metadata, spec, status } of [shop, late]) {
      const site = `namespace="${namespace}",website="${metadata.name}",uid="${metadata.uid}"`;
      const shard = metadata.labels?.[shardLabel(resources.operatorName)];
      assert.ok(shard);
      await shows(
        `kube_website_info{${site},theme="${spec.theme}"} 1`,
        `kube_website_shard{${site},shard="${shard}",drain=""} 1`,
        `kube_website_metadata_generation{${site}} 1`,
        `kube_website_observed_generation{${site}} 1`,
        ...['Pending', 'Ready', 'Error', 'Terminating'].map(
          (phase) => `kube_website_status_phase{${site},phase="${phase}"} ${status?.phase === phase ? 1 : 0}`,
        ),
      );
    }
    await client.delete(resources.websites, world.ref('late'));
    await waitFor('the deleted one to be gone', async () => !/"late"/.test(await scrape(port)));
  });

  await t.test('shards, and where Websites are when one has left', async () => {
    const labels = (shard: string): string =>
      `namespace="${operatorNamespace}",shard="${shard}",controllerring="${resources.operatorName}"`;
    for (const name of [...shardNames, 'c']) {
      const { metadata } = await client.get(leases, { namespace: operatorNamespace, name });
      await shows(
        `kube_shard_info{${labels(name)},uid="${metadata.uid}"} 1`,
        `kube_shard_state{${labels(name)},state="ready"} 1`,
        `kube_shard_state{${labels(name)},state="dead"} 0`,
      );
    }
    for (let index = 0; index < 20; index += 1) await world.website(`site-${index}`, 'plain');
    await waitFor('Websites on all shards', async () => {
      const text = await scrape(port);
      return ['a', 'b', 'c'].every((name) => text.includes(`shard="${name}",drain=""`));
    });
    await a?.stop();
    await shows(
      `kube_shard_state{${labels('a')},state="ready"} 0`,
      `kube_shard_state{${labels('a')},state="dead"} 1`,
    );
    await waitFor('its Websites to be elsewhere', async () => {
      const shards = [
        ...(await scrape(port)).matchAll(/^kube_website_shard\{.*shard="(\w*)",drain=""\} 1$/gm),
      ];
      return shards.length === 21 && shards.every(([, shard]) => shard === 'b' || shard === 'c');
    });
  });

  await t.test('it asked for nothing that it may not do', async () => {
    const text = await scrape(port);
    assert.match(text, /^rest_client_requests_total\{.*code="200"/m);
    assert.doesNotMatch(text, /^rest_client_requests_total\{.*code="403"/m);
  });

  for (const [program, at] of Object.entries({ exporter: port, sharder: sharderPort, operator: shardPort })) {
    await t.test(`promtool has nothing against the metrics of the ${program}`, async () => {
      const text = await scrape(at);
      assert.ok(text.length > 2_000, text);
      assert.deepEqual(await checkMetrics(text), { code: 0, errors: '' });
    });
  }

  await t.test('promtool does find what is wrong', async () => {
    const text = await scrape(port);
    const cases: [string, number, RegExp][] = [
      [text.replace('\\"Open Sans\\"', '"Open Sans"'), 1, /parsing error/],
      [text.replace(/^(kube_website_info\{.*)$/m, '$1\n$1'), 3, /kube_website_info .*not unique/],
      [text.replaceAll('kube_theme_info', 'kube_theme_total'), 3, /kube_theme_total .*"_total"/],
    ];
    for (const [bad, code, what] of cases) {
      assert.notEqual(bad, text);
      const checked = await checkMetrics(bad);
      assert.equal(checked.code, code, checked.errors);
      assert.match(checked.errors, what);
    }
  });
  world.succeeded();
});
