/** A release of the Helm chart on a real API server: installed, upgraded, rolled back, uninstalled, and what of it stays. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { chart, Helm, type Values } from '../harness/helm.ts';
import { waitFor } from '../harness/wait-for.ts';
import { image } from './chart.ts';

const namespaceFile = fileURLToPath(new URL('../../manifests/sharder/base/namespace.yaml', import.meta.url));
const kinds = [
  'deployments,configmaps,services,serviceaccounts,poddisruptionbudgets,networkpolicies,roles,rolebindings',
  'clusterroles,clusterrolebindings,customresourcedefinitions,controllerrings',
].join(',');
const ring = {
  apiVersion: 'sharding.timebertt.dev/v1alpha1',
  kind: 'ControllerRing',
  metadata: { name: 'ring', labels: { 'app.kubernetes.io/part-of': 'controller-sharding' } },
  spec: { resources: [{ group: '', resource: 'secrets' }] },
};
const definition = 'customresourcedefinition/controllerrings.sharding.timebertt.dev';

test('a release', { timeout: 120_000 }, async (t) => {
  const controlPlane = await startControlPlane();
  t.after(() => controlPlane.stop());
  const helm = new Helm({ folder: controlPlane.dir, kubeconfig: controlPlane.kubeconfigPath });
  const kubectl = (words: string, input = ''): Promise<string> =>
    controlPlane.kubectl(words.split(' '), { input });
  const get = async <T extends KubeObject>(object: string): Promise<T> =>
    JSON.parse(await kubectl(`-n sharding-system get ${object} -o json`));
  const change = (verb: 'install' | 'upgrade', values: Values, folder = chart): Promise<string> =>
    helm.run([verb, 'sharder', folder], { image, ...values });
  const replicas = async (): Promise<number> =>
    (await get<KubeObject & { spec: { replicas: number } }>('deployment/sharder')).spec.replicas;
  const names = async (): Promise<string[]> => {
    const selector = 'app.kubernetes.io/part-of=controller-sharding';
    const output = await kubectl(`-n sharding-system get ${kinds} -l ${selector} -o name`);
    return output.trim().split('\n').toSorted();
  };
  const hasAge = async (): Promise<boolean> => (await kubectl('get controllerrings')).includes('AGE');
  await kubectl(`apply -f ${namespaceFile}`);

  await t.test('of an older chart, with an older definition of the rings', async () => {
    const older = join(controlPlane.dir, 'older');
    await cp(chart, older, { recursive: true });
    const file = join(older, 'files', 'controllerring.yaml');
    const text = await readFile(file, 'utf8');
    const age = /\n +- name: Age\n +type: date\n +jsonPath: .*/;
    assert.match(text, age);
    await writeFile(file, text.replace(age, ''));
    await change('install', {}, older);
    await waitFor('rings to be served', () => kubectl(`wait --for=condition=Established ${definition}`));
    await kubectl('apply -f -', JSON.stringify(ring));
    assert.equal(await hasAge(), false);
    assert.equal(await replicas(), 2);
  });

  const { uid } = (await get('controllerring/ring')).metadata;
  const installed = await names();

  await t.test(
    'an upgrade brings the newer definition, and a ConfigMap in place of the old one',
    async () => {
      await change('upgrade', { highAvailability: true, config: { logging: { level: 'debug' } } });
      await waitFor('the column', hasAge);
      assert.equal((await get('controllerring/ring')).metadata.uid, uid);
      assert.equal(await replicas(), 3);
      const withoutConfig = (all: string[]): string[] => all.filter((each) => !each.startsWith('configmap/'));
      const upgraded = await names();
      assert.equal(upgraded.length, installed.length);
      assert.notDeepEqual(upgraded, installed);
      assert.deepEqual(withoutConfig(upgraded), withoutConfig(installed));
    },
  );

  await t.test('values that are refused change nothing', async () => {
    const before = await get('deployment/sharder');
    await assert.rejects(change('upgrade', { replicas: 0 }), /minimum: got 0, want 1/);
    assert.deepEqual(await get('deployment/sharder'), before);
  });

  await t.test('a rollback brings back what was', async () => {
    await helm.run(['rollback', 'sharder', '1']);
    assert.equal(await replicas(), 2);
    assert.deepEqual(await names(), installed);
  });

  await t.test('uninstalled, the rings and their definition are left, and nothing else', async () => {
    await helm.run(['uninstall', 'sharder']);
    const left = [
      'controllerring.sharding.timebertt.dev/ring',
      definition.replace('/', '.apiextensions.k8s.io/'),
    ];
    await waitFor('all else to be gone', async () => (await names()).length <= left.length);
    assert.deepEqual(await names(), left.toSorted());
    assert.equal((await get('controllerring/ring')).metadata.uid, uid);
  });

  await t.test('it can be installed again', async () => {
    await change('install', {});
    assert.deepEqual(await names(), installed);
    await helm.run(['uninstall', 'sharder']);
  });

  await t.test('it takes over what kustomize has installed', async () => {
    const kustomization = fileURLToPath(new URL('../../manifests/sharder/default', import.meta.url));
    await kubectl(`apply -k ${kustomization}`);
    const before = (await get('deployment/sharder')).metadata.uid;
    await assert.rejects(change('install', {}), /cannot be imported into the current release/);
    await helm.run(['install', 'sharder', chart, '--take-ownership', '--force-conflicts'], { image });
    assert.equal((await get('deployment/sharder')).metadata.uid, before);
  });
});
