import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ensureBinaries } from './ensure-binaries.ts';
import { type ArchiveServerOptions, archiveServer, recordedProgress, sandbox } from './test-fixtures.ts';

const damages: [string, Omit<ArchiveServerOptions, 'version'>, RegExp][] = [
  ['with another checksum', { sent: (a) => Buffer.concat([a, Buffer.of(0)]) }, /checksum .* not installed/],
  ['cut short', { sent: (archive) => archive.subarray(0, 100) }, /checksum .* not installed/],
  ['broken off under way', { breakOff: true }, /tar\.gz: .*; building instead/],
];

for (const [what, damage, reason] of damages) {
  test(`an archive ${what} is not installed; it says so and builds`, async (t) => {
    const box = await sandbox(t);
    const env = {
      ...box.env,
      ENVTEST_INDEX_URL: await archiveServer(t, box, { version: '1.37.2', ...damage }),
    };
    const progress = recordedProgress();
    const { etcd } = await ensureBinaries(['etcd'], { env, progress });
    assert.match(progress.lines[1] ?? '', reason);
    assert.match(await readFile(etcd, 'utf8'), /^built/);
    assert.equal((await box.cached()).length, 1);
  });
}

test('another patch release serves, too, and is found again', async (t) => {
  const box = await sandbox(t);
  const env = { ...box.env, ENVTEST_INDEX_URL: await archiveServer(t, box, { version: '1.37.0' }) };
  const first = await ensureBinaries(['etcd'], { env, progress: recordedProgress() });
  assert.equal(await readFile(first.etcd, 'utf8'), 'downloaded etcd 1.37.0');
  const progress = recordedProgress();
  assert.deepEqual(await ensureBinaries(['etcd'], { env, progress }), first);
  assert.deepEqual(progress.lines, []);
});

test('an index without an archive for this version leads to the build', async (t) => {
  const box = await sandbox(t);
  const env = { ...box.env, ENVTEST_INDEX_URL: await archiveServer(t, box, { version: '1.36.5' }) };
  const progress = recordedProgress();
  await ensureBinaries(['etcd'], { env, progress });
  assert.match(progress.lines[1] ?? '', /has no archive for this machine; building instead$/);
});
