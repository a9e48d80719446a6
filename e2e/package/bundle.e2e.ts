import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '@controller-sharding/image/bundle-programs.ts';
import { programs } from '@controller-sharding/image/programs.ts';

interface Ended {
  code: number;
  output: string;
  errors: string;
}

test('the bundles of the image run on Node alone', async (t) => {
  // Away from all node_modules.
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-bundle-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { bytes } = await bundle(folder);
  t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB`);
  assert.ok((await readdir(folder)).includes('main.mjs'));
  const run = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const options = { cwd: folder, env: { HOME: folder } };
      const child = execFile(process.execPath, ['main.mjs', ...args], options, (_error, output, errors) =>
        resolve({ code: child.exitCode ?? -1, output, errors }),
      );
    });
  for (const name of Object.keys(programs)) {
    await t.test(name, async () => {
      const began = performance.now();
      const help = await run(name, '--help');
      t.diagnostic(`${name} --help: ${Math.round(performance.now() - began)} ms`);
      assert.deepEqual([help.code, help.errors], [0, '']);
      assert.match(help.output, new RegExp(`^${name}`));
      const wrong = await run(name, '--what');
      assert.equal(wrong.code, 2);
      assert.match(wrong.errors, new RegExp(`^${name}: `));
      assert.doesNotMatch(wrong.errors, /\n\s+at /);
    });
  }
  await t.test('another name is told what there is', async () => {
    const { code, errors } = await run('no-such-program');
    assert.equal(code, 2);
    assert.match(errors, /unknown program "no-such-program": one of sharder, /);
  });
});
