import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, leases, namespaces, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { parseAllDocuments, stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { everyValue, overlays, renderChart } from './chart.ts';

const folder = fileURLToPath(new URL('../../manifests', import.meta.url));
const operatorProgram = fileURLToPath(new URL('../../operator/checksum/main.ts', import.meta.url));
const sharderProgram = fileURLToPath(new URL('../../sharder/cli/main.ts', import.meta.url));
const sharderKustomizations = [
  'sharder/default',
  'sharder/without-webhook',
  'sharder/cert-manager',
  'sharder/high-availability',
];
const label = shardLabel('checksum-controller');

interface Manifest extends KubeObject {
  spec?: { template?: { spec?: object } };
}

/** Stands in for cert-manager's definitions: what is checked here is ours. */
const certManager = ['Issuer', 'Certificate'].map((kind) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.toLowerCase()}s.cert-manager.io` },
  spec: {
    group: 'cert-manager.io',
    scope: 'Namespaced',
    names: { kind, plural: `${kind.toLowerCase()}s` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}));

const yaml = (documents: readonly object[]): string => documents.map((each) => stringify(each)).join('---\n');

const render = async (controlPlane: ControlPlane, path: string): Promise<Manifest[]> =>
  parseAllDocuments(await controlPlane.kubectl(['kustomize', join(folder, path)])).map(
    (document): Manifest => document.toJS(),
  );

const apply = (
  controlPlane: ControlPlane,
  documents: readonly object[],
  ...args: string[]
): Promise<string> => controlPlane.kubectl(['apply', '-f', '-', ...args], { input: yaml(documents) });

async function start(t: TestContext): Promise<{ controlPlane: ControlPlane; client: KubeClient }> {
  const controlPlane = await startControlPlane({ controllerManager: true });
  const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
  t.after(async () => {
    await transport.close();
    await controlPlane.stop();
  });
  return { controlPlane, client: new KubeClient(transport) };
}

test('the API server accepts all manifests, and pods of them under "restricted"', async (t) => {
  const { controlPlane } = await start(t);
  await apply(controlPlane, certManager);
  const crds = await render(controlPlane, 'crds');
  await apply(controlPlane, crds);
  const rendered = new Map<string, Manifest[]>();
  for (const path of [
    ...sharderKustomizations,
    'operators/checksum',
    'operators/webhosting',
    'operators/webhosting-autoscaling/cpu',
    'operators/webhosting-autoscaling/load',
    'operators/webhosting-exporter',
  ]) {
    rendered.set(path, await render(controlPlane, path));
  }
  for (const [name, values] of Object.entries({ ...overlays, 'every value': everyValue })) {
    rendered.set(`Helm: ${name}`, await renderChart(values));
  }
  const isNamespace = ({ kind }: Manifest): boolean => kind === 'Namespace';
  await apply(controlPlane, [...rendered.values()].flat().filter(isNamespace));
  for (const [path, documents] of rendered) {
    await t.test(path, async () => {
      const answer = await apply(controlPlane, documents, '--dry-run=server', '--validate=strict');
      assert.equal(answer.trim().split('\n').length, documents.length, answer);
      assert.doesNotMatch(answer, /warning/i);
      const pods = documents.flatMap(({ kind, metadata, spec }) =>
        kind === 'Deployment'
          ? [
              {
                apiVersion: 'v1',
                kind: 'Pod',
                metadata: { name: metadata.name, namespace: metadata.namespace },
                spec: { ...spec?.template?.spec, topologySpreadConstraints: undefined },
              },
            ]
          : [],
      );
      assert.equal(pods.length, 1);
      // Its ServiceAccount must be there.
      await apply(
        controlPlane,
        documents.filter(({ kind }) => kind === 'ServiceAccount'),
      );
      await apply(controlPlane, pods, '--dry-run=server');
    });
  }
  await t.test('a pod that runs as root would be refused', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'root', namespace: 'sharding-system' },
      spec: { containers: [{ name: 'root', image: 'root' }] },
    };
    await assert.rejects(apply(controlPlane, [pod], '--dry-run=server'), /violates PodSecurity/);
  });
});

/** Requests that a process was not allowed to make, by its own metrics. */
async function forbidden(metricsPort: number): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const lines = (await answer.text()).split('\n');
  assert.ok(lines.some((line) => line.startsWith('rest_client_requests_total{') && line.includes('"200"')));
  return lines.filter(
    (line) => line.startsWith('rest_client_requests_total{') && line.includes('code="403"'),
  );
}

test('the rights in the manifests are enough', { timeout: 240_000 }, async (t) => {
  const { controlPlane, client } = await start(t);
  await apply(controlPlane, await render(controlPlane, 'crds'));
  await waitFor('rings to be served', () =>
    controlPlane.kubectl(['get', 'controllerrings']).then(
      () => true,
      () => false,
    ),
  );
  for (const path of ['sharder/default', 'operators/checksum']) {
    await apply(controlPlane, await render(controlPlane, path));
  }
  const account = (namespace: string, name: string): Promise<string> =>
    controlPlane.userKubeconfig(`system:serviceaccount:${namespace}:${name}`, [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
    ]);
  const processes: RunningProcess[] = [];
  t.after(() => Promise.all(processes.map((each) => each.stop('SIGKILL'))));

  const metricsPorts = [await freePort(), await freePort(), await freePort()];
  const webhookPort = await freePort();
  const webhook = {
    server: { bindAddress: `127.0.0.1:${webhookPort}` },
    config: { clientConfig: { url: `https://127.0.0.1:${webhookPort}` } },
  };
  const sharder = await startSharder({
    kubeconfigPath: await account('sharding-system', 'sharder'),
    logFolder: controlPlane.logFolder,
    webhook,
    config: { metrics: { bindAddress: `127.0.0.1:${metricsPorts[0]}` } },
  });
  processes.push(sharder);
  const operatorKubeconfig = await account('checksum-system', 'checksum-operator');
  const operators: RunningProcess[] = [];
  for (const [index, name] of ['a', 'b'].entries()) {
    const operator = await startProcess({
      name,
      args: [
        operatorProgram,
        `--kubeconfig=${operatorKubeconfig}`,
        `--shard-name=${name}`,
        '--lease-namespace=checksum-system',
        '--health-address=0',
        `--metrics-address=127.0.0.1:${metricsPorts[index + 1]}`,
      ],
      logFile: join(controlPlane.logFolder, `${name}.log`),
    });
    operators.push(operator);
    processes.push(operator);
  }

  await client.create(namespaces, namespaceNamed('shop'));
  const shardsOf = async (resource: typeof secrets): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for await (const { items } of client.list(resource, 'metadata', { namespace: 'shop' })) {
      for (const { metadata } of items) {
        if (metadata.name === 'kube-root-ca.crt') continue;
        const shard = metadata.labels?.[label] ?? 'none';
        counts.set(shard, (counts.get(shard) ?? 0) + 1);
      }
    }
    return counts;
  };
  const create = async (name: string): Promise<string | undefined> => {
    const { metadata } = await client.create<KubeObject>(secrets, { metadata: { namespace: 'shop', name } });
    return metadata.labels?.[label];
  };

  let count = 0;
  await t.test('labels come from the webhook', async () => {
    await waitFor('a label with the answer to a creation', async () => create(`secret-${count++}`));
    while (count < 40) await create(`secret-${count++}`);
    await waitFor('all objects to be shared out, with what they control', async () => {
      const [owners, children] = [await shardsOf(secrets), await shardsOf(configMaps)];
      const all = [...owners.values()].reduce((sum, load) => sum + load, 0);
      return owners.size === 2 && !owners.has('none') && all === count && isDeepStrictEqual(owners, children);
    });
  });
  await t.test('a shard leaves, and its objects move', async () => {
    await operators[0]?.stop('SIGTERM');
    await waitFor('all on the other one', async () => (await shardsOf(configMaps)).get('b') === count);
  });
  await t.test('its Lease is deleted in the end', async () => {
    const names = async (): Promise<string[]> =>
      (await client.listPage(leases, 'metadata', { namespace: 'checksum-system' })).items.map(
        ({ metadata }) => metadata.name,
      );
    await waitFor('one Lease', async () => String(await names()) === 'b', { timeoutMs: 90_000 });
  });
  await t.test('nobody asked for what it may not do', async () => {
    assert.deepEqual(await forbidden(metricsPorts[0] ?? 0), []);
    assert.deepEqual(await forbidden(metricsPorts[2] ?? 0), []);
  });
  await t.test('uninstalled, nothing is left behind', async () => {
    const cleanup = async (name: string): Promise<string> => {
      const logFile = join(controlPlane.logFolder, `${name}.log`);
      const args = [
        sharderProgram,
        'cleanup',
        'checksum-controller',
        '--kubeconfig',
        controlPlane.kubeconfigPath,
      ];
      const process = await startProcess({ name, args, logFile });
      const { code } = await process.exited;
      return `${code}: ${await readFile(logFile, 'utf8')}`;
    };
    assert.match(await cleanup('too-early'), /^1: .*the ring checksum-controller still exists/);
    await controlPlane.kubectl(['delete', 'controllerring', 'checksum-controller']);
    assert.match(await cleanup('busy'), /^1: [^]*still run: stop them first \(checksum-system\/b\)/);
    await Promise.all(processes.map((each) => each.stop('SIGTERM')));
    assert.match(
      await cleanup('cleanup'),
      new RegExp(`^0: [^]*secrets: removed the labels of ${count} objects[^]*nothing is left`),
    );
    assert.deepEqual(
      [...(await shardsOf(secrets)), ...(await shardsOf(configMaps))],
      [
        ['none', 40],
        ['none', 40],
      ],
    );
    assert.deepEqual((await client.listPage(leases, 'metadata', { namespace: 'checksum-system' })).items, []);
  });
});
