import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RunLogs } from './run-logs.ts';
import { testFolder } from './test-fixtures.ts';

test('logs are kept in a folder of their own, and of many failed runs the newest', async (t) => {
  const folder = await testFolder(t);
  const [source, parent] = [join(folder, 'source'), join(folder, 'logs')];
  await mkdir(join(source, 'deeper'), { recursive: true });
  await writeFile(join(source, 'deeper', 'a.log'), 'text');
  for (let day = 10; day < 35; day++)
    await mkdir(join(parent, `run-200001${day}T000000000Z-1`), { recursive: true });
  await mkdir(join(parent, 'of somebody else'));
  const logs = new RunLogs(source, parent);
  const kept = await logs.keep();
  logs.close();
  assert.equal(await readFile(join(kept, 'deeper', 'a.log'), 'utf8'), 'text');
  const entries = await readdir(parent);
  assert.equal(entries.length, 21);
  assert.ok(entries.includes('of somebody else'));
  assert.ok(!entries.includes('run-20000114T000000000Z-1'));
});
