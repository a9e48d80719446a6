import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { packShared } from './pack.ts';
import { runTool } from './run-tool.ts';

const examples = ['controller-example.ts', 'testing-example.ts'];

/** Somebody's project beside this repository: TypeScript, and the package as it is packed. */
let project: string;

const inProject = (...path: string[]): string => join(project, ...path);

before(async () => {
  project = await mkdtemp(join(tmpdir(), 'package-test-'));
  const archive = await packShared(inProject('archive'));
  const { devDependencies } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  await writeFile(inProject('package.json'), JSON.stringify({ private: true, type: 'module' }));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    outDir: 'out',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  };
  await writeFile(inProject('tsconfig.json'), JSON.stringify({ compilerOptions }));
  const packages = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runTool('npm', ['install', ...quiet, archive, ...packages], project);
  for (const file of examples) await copyFile(new URL(file, import.meta.url), inProject(file));
  await runTool(inProject('node_modules/.bin/tsc'), [], project);
});

after(() => rm(project, { recursive: true }));

test('the package holds JavaScript with its declarations, and no test', async () => {
  const folder = inProject('node_modules/@controller-sharding/shared');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = files.filter((file) => file.isFile()).map(({ name }) => name);
  const others = names.filter((name) => !/\.(js|d\.ts)$/.test(name));
  assert.deepEqual(others.toSorted(), ['LICENSE', 'README.md', 'package.json']);
  assert.deepEqual(
    names.filter((name) => /test|fixture|fake-api/.test(name)),
    [],
  );
});

test('for tests of controllers there is an API server in memory', async () => {
  const report = await runTool(process.execPath, [inProject('out/testing-example.js')], project);
  assert.match(report, /pass 1\n.*fail 0\n/);
});

test('the example does its work, and stops when it is told to', { timeout: 60_000 }, async (t) => {
  await using controlPlane = await startControlPlane();
  const { kubectl, teamOf } = namespacesOf(controlPlane);
  await kubectl('create', 'namespace', 'shop');
  await kubectl('label', 'namespace', 'shop', 'example.com/team=apples');
  const env = { ...process.env, KUBECONFIG: controlPlane.kubeconfigPath };
  const controller = spawn(process.execPath, [inProject('out/controller-example.js')], { env });
  t.after(() => controller.kill('SIGKILL'));
  let log = '';
  controller.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const exited = once(controller, 'exit');
  try {
    await waitFor('the ConfigMap', async () => (await teamOf('shop')) === 'apples');
    await kubectl('label', 'namespace', 'shop', 'example.com/team=pears', '--overwrite');
    await waitFor('the change', async () => (await teamOf('shop')) === 'pears');
    await kubectl('delete', 'configmap', 'team', '--namespace=shop');
    await waitFor('the ConfigMap to be back', async () => (await teamOf('shop')) === 'pears');
    await kubectl('label', 'namespace', 'shop', 'example.com/team-');
    await waitFor('the ConfigMap to be gone', async () => (await teamOf('shop')) === undefined);
    controller.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  } catch (error) {
    throw new Error(`The controller wrote:\n${log}`, { cause: error });
  }
});

function namespacesOf(controlPlane: ControlPlane) {
  const kubectl = (...args: string[]): Promise<string> => controlPlane.kubectl(args);
  return {
    kubectl,
    /** What the ConfigMap in the namespace says; undefined if there is none. */
    teamOf: (namespace: string): Promise<string | undefined> =>
      kubectl('get', 'configmap', 'team', `--namespace=${namespace}`, '--output=jsonpath={.data.team}').catch(
        () => undefined,
      ),
  };
}
