import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBinaries } from './ensure-binaries.ts';
import { BinariesError } from './errors.ts';
import { archiveServer, assetsFolder, recordedProgress, type Sandbox, sandbox } from './test-fixtures.ts';

const PLATFORM = `${process.platform}-${process.arch}`;

const hasCode =
  (code: string, ...words: string[]) =>
  (error: unknown) =>
    error instanceof BinariesError &&
    error.code === code &&
    words.every((word) => error.message.includes(word));

async function untilBuilding(box: Sandbox): Promise<void> {
  for (let attempt = 0; (await box.builds()).length === 0; attempt++) {
    assert.ok(attempt < 500, 'the build has not begun');
    await sleep(10);
  }
}

test('KUBEBUILDER_ASSETS comes first, and nothing is shown or made', async (t) => {
  const box = await sandbox(t);
  const progress = recordedProgress();
  await ensureBinaries(['etcd'], { env: box.env, progress: recordedProgress() });
  const assets = await assetsFolder(box, ['etcd']);
  const paths = await ensureBinaries(['etcd'], { env: { ...box.env, KUBEBUILDER_ASSETS: assets }, progress });
  assert.deepEqual(paths, { etcd: join(assets, 'etcd') });
  assert.deepEqual(progress.lines, []);
});

test('what KUBEBUILDER_ASSETS lacks comes from the cache, and what that lacks is built', async (t) => {
  const box = await sandbox(t);
  const env = { ...box.env, KUBEBUILDER_ASSETS: await assetsFolder(box, ['etcd']) };
  await ensureBinaries(['kube-scheduler'], { env, progress: recordedProgress() });
  const paths = await ensureBinaries(['etcd', 'kube-scheduler', 'kube-controller-manager'], {
    env,
    progress: recordedProgress(),
  });
  assert.equal(await readFile(paths.etcd, 'utf8'), 'asset etcd');
  const builds = await box.builds();
  assert.equal(builds.length, 2);
  assert.match(builds[0] ?? '', /cmd\/kube-scheduler$/);
  assert.match(builds[1] ?? '', /cmd\/kube-controller-manager$/);
});

test('only what is asked for is built, each module once, and the second time nothing', async (t) => {
  const box = await sandbox(t);
  const { env } = box;
  const names = ['etcd', 'kube-scheduler', 'kubectl'] as const;
  const paths = await ensureBinaries(names, { env, progress: recordedProgress() });
  assert.deepEqual(await box.cached(), [
    `etcd-v3.7.3-${PLATFORM}/etcd`,
    `kubernetes-v1.37.2-${PLATFORM}/kube-scheduler`,
    `kubernetes-v1.37.2-${PLATFORM}/kubectl`,
  ]);
  assert.equal(await readFile(paths.kubectl, 'utf8'), 'built from k8s.io/kubernetes/cmd/kubectl\n');
  assert.equal((await box.builds()).length, 2);
  const progress = recordedProgress();
  assert.deepEqual(await ensureBinaries(names, { env, progress }), paths);
  assert.equal((await box.builds()).length, 2);
  assert.deepEqual(progress.lines, []);
});

test('promtool is built without the clients of all clouds', async (t) => {
  const box = await sandbox(t);
  const { promtool } = await ensureBinaries(['promtool'], { env: box.env, progress: recordedProgress() });
  assert.match(promtool, /\/prometheus-v3\.16\.0-[^/]+\/promtool$/);
  assert.match((await box.builds())[0] ?? '', / -tags remove_all_sd .*\/cmd\/promtool$/);
});

test('an archive is downloaded before anything is built, and what it lacks is built', async (t) => {
  const box = await sandbox(t);
  const env = { ...box.env, ENVTEST_INDEX_URL: await archiveServer(t, box, { version: '1.37.2' }) };
  const paths = await ensureBinaries(['etcd', 'kube-apiserver', 'kube-controller-manager'], {
    env,
    progress: recordedProgress(),
  });
  assert.equal(await readFile(paths.etcd, 'utf8'), 'downloaded etcd 1.37.2');
  assert.equal(await readFile(paths['kube-apiserver'], 'utf8'), 'downloaded kube-apiserver 1.37.2');
  assert.deepEqual(await box.cached(), [
    `envtest-v1.37.2-${PLATFORM}/etcd`,
    `envtest-v1.37.2-${PLATFORM}/kube-apiserver`,
    `envtest-v1.37.2-${PLATFORM}/kubectl`,
    `kubernetes-v1.37.2-${PLATFORM}/kube-controller-manager`,
  ]);
});

test('without a network a line says so, and the build follows', async (t) => {
  const box = await sandbox(t);
  const progress = recordedProgress();
  await ensureBinaries(['etcd'], { env: box.env, progress });
  assert.equal(progress.lines[0], 'Download etcd (envtest)');
  assert.match(progress.lines[1] ?? '', /^http:\/\/127.0.0.1:1\/index.yaml: .*; building instead$/);
  assert.equal(progress.lines[2], 'Build etcd 3.7.3 with Go');
});

test('an interrupted build leaves nothing in the cache', async (t) => {
  const box = await sandbox(t);
  const wait = join(box.folder, 'wait');
  await writeFile(wait, '');
  const env = { ...box.env, FAKE_GO_WAIT: wait };
  const interrupt = new AbortController();
  const interrupted = ensureBinaries(['kubectl'], {
    env,
    progress: recordedProgress(),
    signal: interrupt.signal,
  });
  const reason = new Error('Ctrl-C');
  const rejected = assert.rejects(interrupted, reason);
  await untilBuilding(box);
  interrupt.abort(reason);
  await rejected;
  assert.deepEqual(await box.cached(), []);
  await rm(wait);
  await ensureBinaries(['kubectl'], { env, progress: recordedProgress() });
  assert.equal((await box.cached()).length, 1);
});

test('two starts at once build once; the second says that it waits', async (t) => {
  const box = await sandbox(t);
  const wait = join(box.folder, 'wait');
  await writeFile(wait, '');
  const env = { ...box.env, FAKE_GO_WAIT: wait };
  const first = ensureBinaries(['kubectl'], { env, progress: recordedProgress() });
  await untilBuilding(box);
  const progress = recordedProgress();
  const second = ensureBinaries(['kubectl'], { env, progress });
  while (progress.lines.length === 0) await sleep(5);
  await rm(wait);
  assert.deepEqual(await first, await second);
  assert.equal((await box.builds()).length, 1);
  assert.deepEqual(progress.lines, [
    'Another process is preparing binaries of the control plane: waiting for it',
  ]);
});

test('without Go, the error says what to do', async (t) => {
  const box = await sandbox(t);
  await assert.rejects(
    ensureBinaries(['etcd'], { env: { ...box.env, PATH: box.folder }, progress: recordedProgress() }),
    hasCode('GO_MISSING', 'Building etcd needs Go 1.26 or newer', 'go.dev/dl', 'KUBEBUILDER_ASSETS'),
  );
});

test('with a Go that is too old, the error says which it is', async (t) => {
  const box = await sandbox(t);
  await assert.rejects(
    ensureBinaries(['etcd'], {
      env: { ...box.env, FAKE_GO_VERSION: 'go1.24.3' },
      progress: recordedProgress(),
    }),
    hasCode('GO_TOO_OLD', 'go1.24.3', 'go.dev/dl'),
  );
});

test('a build that fails shows the last of what Go said', async (t) => {
  const box = await sandbox(t);
  const script =
    '#!/bin/sh\n[ "$1" = env ] && echo go1.26.0 && exit\necho "no space left on device" >&2\nexit 3\n';
  await writeFile(join(box.folder, 'bin', 'go'), script);
  await assert.rejects(
    ensureBinaries(['etcd'], { env: box.env, progress: recordedProgress() }),
    hasCode('BUILD_FAILED', 'code 3', 'no space left on device'),
  );
  assert.deepEqual(await box.cached(), []);
});

test('a cache that cannot be written is named, with what to do', async (t) => {
  const box = await sandbox(t);
  await writeFile(box.cacheHome, 'a file where the folder should be');
  await assert.rejects(
    ensureBinaries(['etcd'], { env: box.env, progress: recordedProgress() }),
    hasCode('CACHE_UNWRITABLE', box.cacheHome, 'XDG_CACHE_HOME'),
  );
});

test('a broken entry of the cache is not taken', async (t) => {
  const box = await sandbox(t);
  const folder = join(box.cacheHome, 'controller-sharding', 'control-plane', `etcd-v3.7.3-${PLATFORM}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'etcd'), '');
  await chmod(join(folder, 'etcd'), 0o755);
  const { etcd } = await ensureBinaries(['etcd'], { env: box.env, progress: recordedProgress() });
  assert.equal(await readFile(etcd, 'utf8'), 'built from go.etcd.io/etcd/server/v3\n');
});
