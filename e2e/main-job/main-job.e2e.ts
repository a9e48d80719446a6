/** The main job as users start it: as a process, by its output, its exit code and what it leaves behind. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { nothingLeft, type Run, start } from './started.ts';

for (const [plant, rule] of [
  ['overlap', 'exclusive work'],
  ['late-write', 'exclusive writes'],
  ['unowned', 'ownership'],
  ['move', 'stability'],
  ['cordon', 'cordon'],
] as const) {
  test(`a planted violation is caught: ${plant}`, async () => {
    const run = start('--plant', plant, '--secrets', '20');
    assert.equal(await run.code, 3, run.output() + run.errors());
    assert.match(run.output(), new RegExp(`^BROKEN ${rule}: main-job/\\S*secret-\\d+: `, 'm'));
    assert.match(run.errors(), /^main-job: (a rule was|rules were) broken/m);
    await nothingLeft();
  });
}

/** Waits for the line of a step. Throws with all that was said when it doesn't come, or the run ends before. */
async function untilStep(run: Run, step: string): Promise<void> {
  const said = waitFor(`the step ${step}`, () => run.output().includes(`\n${step} `), { timeoutMs: 60_000 });
  const ended = run.code.then((code) => Promise.reject(new Error(`ended with ${code}`)));
  await Promise.race([said, ended]).catch((error: unknown) => {
    run.child.kill('SIGKILL');
    throw new Error(`${run.output()}\n${run.errors()}`, { cause: error });
  });
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} leaves no process and no temporary folder`, async () => {
    const run = start('--secrets', '20');
    await untilStep(run, 'fill');
    run.child.kill(signal);
    assert.equal(await run.code, signal === 'SIGINT' ? 0 : null, run.errors());
    await nothingLeft();
  });
}

test('a cluster that is borrowed is left as it was', async () => {
  await using controlPlane = await startControlPlane({ controllerManager: true });
  const everything = async (): Promise<string[]> => {
    const kinds =
      'namespaces,customresourcedefinitions,mutatingwebhookconfigurations,leases,secrets,configmaps';
    const names = await controlPlane.kubectl(['get', kinds, '--all-namespaces', '--output=name']);
    return names.trim().split('\n').toSorted();
  };
  const before = await everything();
  const kubeconfig = ['--kubeconfig', controlPlane.kubeconfigPath, '--secrets', '20'];

  const stopped = start(...kubeconfig);
  await untilStep(stopped, 'fill');
  stopped.child.kill('SIGINT');
  assert.equal(await stopped.code, 0, stopped.output() + stopped.errors());
  assert.deepEqual(await everything(), before);

  const failed = start(...kubeconfig, '--plant', 'move', '--webhook-port', '21987');
  assert.equal(await failed.code, 3, failed.output() + failed.errors());
  assert.deepEqual(await everything(), before);
  await nothingLeft();
});

async function busyPort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port: address.port, [Symbol.asyncDispose]: close };
}

async function refused(args: string[], code: number, message: RegExp): Promise<void> {
  const run = start(...args);
  assert.equal(await run.code, code, run.output() + run.errors());
  assert.match(run.errors(), message);
  const lines = run.errors().trim().split('\n');
  assert.ok(lines.length <= 2, run.errors());
}

test('wrong input is told in one or two lines', async () => {
  await using busy = await busyPort();
  await refused(['--nonsense'], 2, /nonsense/);
  await refused(['--secrets', 'many'], 2, /--secrets: must be a whole number/);
  await refused(['--webhook-port', String(busy.port)], 1, /port \d+ on 127\.0\.0\.1 is in use/);
  await refused(['--kubeconfig', '/nowhere/config'], 1, /cannot read the kubeconfig \/nowhere\/config/);
});

test('a cluster that cannot be reached is told in one line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'unreachable-'));
  const file = join(folder, 'config');
  let port: number;
  {
    await using busy = await busyPort();
    ({ port } = busy);
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  try {
    await writeFile(file, JSON.stringify(config));
    await refused(
      ['--kubeconfig', file],
      1,
      new RegExp(`can't use the cluster at https://127\\.0\\.0\\.1:${port}: `),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
