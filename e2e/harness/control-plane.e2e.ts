import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { HarnessError } from './errors.ts';
import { freePort } from './ports.ts';
import { isAlive, runFixture, testFolder, untilGone } from './test-fixtures.ts';
import { waitFor } from './wait-for.ts';

/** Nothing of a stopped control plane is left. */
async function assertGone(dir: string, pids: number[]): Promise<void> {
  await untilGone(...pids);
  await waitFor(`the end of ${dir}`, () => !existsSync(dir), { everyMs: 10 });
}

const configMaps = async (controlPlane: ControlPlane): Promise<string> =>
  (await controlPlane.kubectl(['get', 'configmaps', '--output=name', '--selector=test'])).trim();

test('a control plane starts, works, and stops wholly', async () => {
  const began = performance.now();
  await using controlPlane = await startControlPlane();
  const startMs = performance.now() - began;
  const { dir, pids } = controlPlane;
  assert.deepEqual(Object.keys(pids), ['etcd', 'kube-apiserver']);
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { test: '' } } };
  await controlPlane.kubectl(['apply', '--filename=-'], { input: JSON.stringify(manifest) });
  assert.equal(await configMaps(controlPlane), 'configmap/a');
  await assert.rejects(controlPlane.kubectl(['get', 'configmap', 'b']), /configmaps "b" not found/);
  await controlPlane.stop();
  await assertGone(dir, Object.values(pids));
  assert.ok(startMs < 30_000, `ready after ${startMs} ms`);
});

test('with the controller manager and the scheduler, ServiceAccounts come and garbage is collected', async () => {
  await using controlPlane = await startControlPlane({ controllerManager: true, scheduler: true });
  assert.equal(Object.keys(controlPlane.pids).length, 4);
  const account = await controlPlane.kubectl(['get', 'serviceaccount', 'default', '--output=name']);
  assert.equal(account, 'serviceaccount/default\n');
});

test('a user has the groups of its certificate, and no more rights than they give', async () => {
  await using controlPlane = await startControlPlane();
  const kubeconfigPath = await controlPlane.userKubeconfig('alice', ['shards']);
  const whoAmI = await controlPlane.kubectl(['auth', 'whoami', '--output=json'], { kubeconfigPath });
  assert.partialDeepStrictEqual(JSON.parse(whoAmI), {
    status: { userInfo: { username: 'alice', groups: ['shards', 'system:authenticated'] } },
  });
  await assert.rejects(controlPlane.kubectl(['get', 'secrets'], { kubeconfigPath }), /Forbidden/);
});

test('the API server can be taken away and comes back with its data', async () => {
  await using controlPlane = await startControlPlane();
  await controlPlane.kubectl(['create', 'configmap', 'kept']);
  const before = controlPlane.pids['kube-apiserver'];
  await controlPlane.apiServer.stop();
  assert.equal(controlPlane.pids['kube-apiserver'], undefined);
  await assert.rejects(controlPlane.kubectl(['get', 'configmap', 'kept']), /refused/);
  await controlPlane.apiServer.start();
  assert.notEqual(controlPlane.pids['kube-apiserver'], before);
  await controlPlane.kubectl(['get', 'configmap', 'kept']);
  await controlPlane.apiServer.stop('SIGTERM');
  await controlPlane.apiServer.start();
  await controlPlane.kubectl(['get', 'configmap', 'kept']);
});

test('etcd can be taken away and comes back with its data', async () => {
  await using controlPlane = await startControlPlane();
  await controlPlane.kubectl(['create', 'configmap', 'kept']);
  await controlPlane.etcd.stop();
  await assert.rejects(controlPlane.kubectl(['create', 'configmap', 'lost', '--request-timeout=1s']));
  await controlPlane.etcd.start();
  await controlPlane.kubectl(['get', 'configmap', 'kept']);
});

test('a paused API server keeps connections and answers when it is resumed', async () => {
  await using controlPlane = await startControlPlane();
  await controlPlane.apiServer.pause();
  let answered = false;
  const answer = new Promise<void>((resolve, reject) => {
    const asked = request(`${controlPlane.url}/readyz`, { rejectUnauthorized: false }, (response) => {
      answered = true;
      response.resume().once('end', resolve);
    });
    asked.once('error', reject).end();
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(answered, false);
  await controlPlane.apiServer.resume();
  await answer;
});

test('two control planes at once know nothing of each other', async () => {
  const starting = [startControlPlane(), startControlPlane()] as const;
  await using one = await starting[0];
  await using other = await starting[1];
  await one.kubectl(['create', 'configmap', 'mine']);
  await one.kubectl(['label', 'configmap', 'mine', 'test=']);
  assert.equal(await configMaps(one), 'configmap/mine');
  assert.equal(await configMaps(other), '');
  await one.stop();
  assert.equal(await configMaps(other), '');
});

test('a given port that is in use is an error of one line, and nothing is started', async (t) => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  await assert.rejects(
    startControlPlane({ port }),
    (error) =>
      error instanceof HarnessError &&
      error.code === 'PORT_BUSY' &&
      error.message.includes(String(port)) &&
      !error.message.includes('\n'),
  );
});

test('an aborted start leaves nothing', async (t) => {
  const temporary = await testFolder(t);
  const program = await runFixture<{ error: string }>(t, './control-plane-fixture.ts', ['abort'], {
    TMPDIR: temporary,
  });
  assert.deepEqual(program.said, { error: 'Error: enough' });
  assert.deepEqual(await program.exited, { code: 0, signal: null });
  assert.deepEqual(await readdir(temporary), []);
});

test('when the program ends by an error, the logs are kept, and nothing else is left', async (t) => {
  const logDir = await testFolder(t);
  const program = await runFixture<{ dir: string; pids: number[] }>(t, './control-plane-fixture.ts', [
    'throw',
    logDir,
  ]);
  assert.equal((await program.exited).code, 1);
  await assertGone(program.said.dir, program.said.pids);
  const [run = ''] = await readdir(logDir);
  assert.ok(program.errors().includes(`The logs of the control plane are kept in ${join(logDir, run)}`));
  assert.deepEqual((await readdir(join(logDir, run))).toSorted(), ['etcd.log', 'kube-apiserver.log']);
});

for (const [how, args, signal] of [
  ['is killed', [], 'SIGKILL'],
  ['is ended by Ctrl-C', [], 'SIGINT'],
  ['stops it when it is told to end', ['stop-on-signal'], 'SIGTERM'],
] as const) {
  test(`nothing is left when the program that started a control plane ${how}`, async (t) => {
    const program = await runFixture<{ dir: string; pids: number[] }>(t, './control-plane-fixture.ts', [
      ...args,
    ]);
    const { dir, pids } = program.said;
    assert.ok(pids.length === 2 && pids.every(isAlive));
    program.kill(signal);
    await program.exited;
    await assertGone(dir, pids);
  });
}

test('the logs of a failed run are kept, and the path is told', async (t) => {
  const logDir = await testFolder(t);
  const told: string[] = [];
  await using controlPlane = await startControlPlane({ logDir, report: (line) => void told.push(line) });
  await writeFile(join(controlPlane.logFolder, 'sharder.log'), 'mine');
  process.kill(controlPlane.pids.etcd ?? 0, 'SIGKILL');
  await waitFor('etcd to end', () => controlPlane.pids.etcd === undefined);
  await controlPlane.stop();
  const [run = ''] = await readdir(logDir);
  assert.deepEqual(told, [`The logs of the control plane are kept in ${join(logDir, run)}`]);
  assert.deepEqual((await readdir(join(logDir, run))).toSorted(), [
    'etcd.log',
    'kube-apiserver.log',
    'sharder.log',
  ]);
  assert.equal(await readFile(join(logDir, run, 'sharder.log'), 'utf8'), 'mine');
});
