/** The Helm chart of the sharder: what it refuses, that it renders what kustomize does, and its life on a real API server. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { chart, Helm } from '../harness/helm.ts';
import { runCommand } from '../node/commands.ts';
import { everyValue, image, overlays, renderChart } from './chart.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const manifests = join(repository, 'manifests');

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-helm-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** An object of the chart, with what of a ConfigMap and a Deployment is looked at. */
interface Rendered extends KubeObject {
  data?: Record<string, unknown>;
  spec?: { replicas?: number; template?: PodTemplate };
}

interface PodTemplate {
  metadata: { annotations?: Record<string, string> };
  spec: {
    containers: { image: string; imagePullPolicy?: string; resources: object }[];
    volumes: { name: string; configMap?: { name: string } }[];
    topologySpreadConstraints: object[];
    [field: string]: unknown;
  };
}

const ofKind = (objects: readonly Rendered[], kind: string): Rendered => {
  const found = objects.find((each) => each.kind === kind);
  assert.ok(found, kind);
  return found;
};
const templateOf = (objects: readonly Rendered[]): PodTemplate => {
  const template = ofKind(objects, 'Deployment').spec?.template;
  assert.ok(template);
  return template;
};
const configOf = ({ data }: Rendered): unknown => parse(String(data?.['config.yaml']));

async function renderOverlay(t: TestContext, name: string): Promise<KubeObject[]> {
  const folder = await folderOf(t);
  const { kubectl } = await ensureBinaries(['kubectl']);
  const kustomization = {
    resources: [relative(folder, join(manifests, 'sharder', name))],
    images: [{ name: 'controller-sharding', newName: image.repository, newTag: image.tag }],
  };
  await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
  const text = await runCommand(kubectl, ['kustomize', folder]);
  return parseAllDocuments(text).map((document): KubeObject => document.toJS());
}

/** By kind, namespace and name; without what has to differ: the hash of the configuration's text, and how that is written. */
function comparable(objects: readonly KubeObject[]): Record<string, KubeObject> {
  const { name: configMap } = ofKind(objects, 'ConfigMap').metadata;
  assert.match(configMap, /^sharder-[0-9a-z]{10}$/);
  const { volumes } = templateOf(objects).spec;
  assert.equal(volumes.find(({ name }) => name === 'config')?.configMap?.name, configMap);
  const entries = objects.map((object): [string, KubeObject] => {
    const copy: Rendered = JSON.parse(JSON.stringify(object).replaceAll(configMap, 'sharder-HASH'));
    if (copy.kind === 'ConfigMap') copy.data = { ...copy.data, 'config.yaml': configOf(copy) };
    const { namespace = '', name } = copy.metadata;
    return [`${copy.apiVersion} ${copy.kind} ${namespace}/${name}`, copy];
  });
  const result = Object.fromEntries(entries);
  assert.equal(Object.keys(result).length, objects.length, 'none twice');
  return result;
}

test('the chart passes the linter', async (t) => {
  const helm = new Helm({ folder: await folderOf(t) });
  assert.match(await helm.run(['lint', '--strict', chart]), /1 chart\(s\) linted, 0 chart\(s\) failed/);
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  const { version: chartVersion, appVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'));
  assert.deepEqual([chartVersion, appVersion], [version, version]);
});

test('there is one definition of the rings', async () => {
  const [copy, original] = ['helm/controller-sharding/files', 'crds'].map((folder) =>
    readFile(join(manifests, folder, 'controllerring.yaml'), 'utf8'),
  );
  assert.equal(await copy, await original, 'copy it from manifests/crds to the chart');
});

for (const [name, values] of Object.entries(overlays)) {
  test(`Helm renders the same objects as the kustomization ${name}`, async (t) => {
    const byHelm = comparable(await renderChart(values));
    const byKustomize = comparable(await renderOverlay(t, name));

    const namespace = 'v1 Namespace /sharding-system';
    assert.ok(byKustomize[namespace]);
    delete byKustomize[namespace]; // there before the chart, for the release's own record

    const definition =
      byHelm['apiextensions.k8s.io/v1 CustomResourceDefinition /controllerrings.sharding.timebertt.dev'];
    assert.deepEqual(definition?.metadata.annotations, { 'helm.sh/resource-policy': 'keep' });
    delete definition?.metadata.annotations;

    assert.deepEqual(Object.keys(byHelm).toSorted(), Object.keys(byKustomize).toSorted());
    for (const [key, object] of Object.entries(byKustomize)) assert.deepEqual(byHelm[key], object, key);
  });
}

test('what the values say is in the objects', async () => {
  const objects = await renderChart(everyValue);
  const template = templateOf(objects);
  const { containers, topologySpreadConstraints, ...pod } = template.spec;
  assert.equal(ofKind(objects, 'Deployment').spec?.replicas, 5);
  assert.equal(topologySpreadConstraints.length, 2);
  assert.deepEqual(template.metadata.annotations, everyValue['podAnnotations']);
  for (const name of ['imagePullSecrets', 'nodeSelector', 'tolerations']) {
    assert.deepEqual(pod[name], everyValue[name], name);
  }
  assert.ok(!('priorityClassName' in pod));
  assert.ok(objects.every(({ kind }) => kind !== 'NetworkPolicy'));
  assert.ok(objects.every(({ metadata }) => !metadata.name.startsWith('sharder-metrics')));
  const [container] = containers;
  assert.equal(container?.image, `${image.repository}@sha256:${'0123456789abcdef'.repeat(4)}`);
  assert.equal(container.imagePullPolicy, 'Always');
  assert.deepEqual(container.resources, {
    requests: { cpu: 0.5, memory: '256Mi' },
    limits: { cpu: '2', memory: '256Mi' },
  });
  assert.deepEqual(configOf(ofKind(objects, 'ConfigMap')), {
    apiVersion: 'config.sharding.timebertt.dev/v1alpha1',
    kind: 'SharderConfig',
    clientConnection: { qps: 500, burst: 1000 },
    leaderElection: { leaseDuration: '30s' },
    metrics: { secureServing: false },
    webhook: {
      server: { certDir: '/tmp/k8s-webhook-server/serving-certs' },
      config: {
        annotations: {
          'cert-manager.io/inject-ca-from': 'sharding-system/sharder-webhook',
          'example.com/owner': 'platform',
        },
        clientConfig: { service: { namespace: 'sharding-system', name: 'sharder' } },
      },
    },
    controller: { sharder: { syncPeriod: '10m', concurrentMoves: 200 } },
    logging: { level: 'debug' },
  });
});

test('another configuration has another name, and so starts new pods', async () => {
  const nameWith = async (concurrentMoves: number): Promise<string> =>
    ofKind(await renderChart({ config: { controller: { sharder: { concurrentMoves } } } }), 'ConfigMap')
      .metadata.name;
  assert.notEqual(await nameWith(1), await nameWith(2));
  assert.equal(await nameWith(1), await nameWith(1));
});

const refused: [values: Record<string, unknown>, message: RegExp][] = [
  [{ image: {} }, /image\.repository is missing: where the image was pushed to/],
  [{ image: { repository: 'team/image:1.0' } }, /at '\/image\/repository': .* does not match pattern/],
  [{ image: { ...image, digest: 'abc' } }, /at '\/image\/digest': 'abc' does not match pattern/],
  [{ image: { ...image, pullPolicy: 'Sometimes' } }, /at '\/image\/pullPolicy': value must be one of/],
  [{ replicaCount: 3 }, /at '': additional properties 'replicaCount' not allowed/],
  [{ replicas: 0 }, /at '\/replicas': minimum: got 0, want 1/],
  [{ replicas: '3' }, /at '\/replicas': got string, want integer/],
  [{ highAvailability: 'yes' }, /at '\/highAvailability': got string, want boolean/],
  [{ resources: { limit: {} } }, /at '\/resources': additional properties 'limit' not allowed/],
  [{ podAnnotations: { port: 80 } }, /at '\/podAnnotations\/port': got number, want string/],
  [{ tolerations: [{ operator: 'In' }] }, /at '\/tolerations\/0\/operator': value must be one of/],
  [{ webhook: { certificate: 'mine' } }, /at '\/webhook\/certificate': value must be one of 'self-made'/],
  [{ config: { controler: {} } }, /at '\/config': additional properties 'controler' not allowed/],
  [{ config: { controller: { sharder: { syncPeriod: '5' } } } }, /syncPeriod': '5' does not match pattern/],
  [
    { config: { controller: { sharder: { concurrentMoves: 0 } } } },
    /at '\/config\/controller\/sharder\/concurrentMoves': minimum: got 0, want 1/,
  ],
  [
    { config: { webhook: { enabled: false } } },
    /at '\/config\/webhook': additional properties 'enabled' not allowed/,
  ],
  [{ config: { health: { bindAddress: ':1' } } }, /at '\/config': additional properties 'health' not/],
];
for (const [values, message] of refused) {
  test(`refused: ${JSON.stringify(values)}`, () => assert.rejects(renderChart(values), message));
}

test('refused: another namespace', async () => {
  const { helm } = await ensureBinaries(['helm']);
  const args = ['template', 'sharder', chart, '--namespace=other', '--set=image.repository=image'];
  await assert.rejects(runCommand(helm, args), /the sharder's namespace is sharding-system: add --namespace/);
});

test('a chart that depends on it passes its values on', async (t) => {
  const folder = await folderOf(t);
  await mkdir(join(folder, 'charts'));
  const metadata = {
    apiVersion: 'v2',
    name: 'parent',
    version: '1.0.0',
    dependencies: [{ name: 'controller-sharding', version: '0.1.0', repository: `file://${chart}` }],
  };
  await writeFile(join(folder, 'Chart.yaml'), stringify(metadata));
  const helm = new Helm({ folder });
  await helm.run(['package', chart, '--destination', join(folder, 'charts')]);
  const text = await helm.run(['template', 'sharder', folder], { 'controller-sharding': { image } });
  assert.match(text, /image: "registry\.example\.com\/team\/controller-sharding:1\.2\.3"/);
});
