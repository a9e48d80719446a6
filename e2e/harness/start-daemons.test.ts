import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeIdentities } from './control-plane-files.ts';
import { HarnessError } from './errors.ts';
import { Keeper } from './keeper-client.ts';
import { type StartRequest, startDaemons } from './start-daemons.ts';
import { testFolder } from './test-fixtures.ts';

/** Runs the script instead of etcd, and the other instead of kube-apiserver; ports of the latter's starts. */
async function fakes(
  t: TestContext,
  scripts: { etcd: string; apiServer: string },
): Promise<{ request: StartRequest; ports: () => Promise<string[]> }> {
  const dir = await testFolder(t);
  const program = async (name: string, script: string): Promise<string> => {
    const path = join(dir, name);
    await writeFile(path, `#!/bin/sh\necho "$*" >> ${dir}/${name}-calls\n${script}\n`, { mode: 0o755 });
    return path;
  };
  const etcd = await program('fake-etcd', scripts.etcd);
  const apiServer = await program('fake-apiserver', scripts.apiServer);
  return {
    request: {
      keeper: Keeper.shared(),
      dir,
      identities: await writeIdentities(dir),
      names: ['etcd', 'kube-apiserver'],
      binaries: {
        etcd,
        'kube-apiserver': apiServer,
        'kube-controller-manager': '/nowhere',
        'kube-scheduler': '/nowhere',
      },
      port: undefined,
      signal: undefined,
    },
    ports: async () => {
      const calls = await readFile(join(dir, 'fake-apiserver-calls'), 'utf8');
      return [...calls.matchAll(/--secure-port=(\d+)/g)].map(([, port]) => port ?? '');
    },
  };
}

const PORT_TAKEN = 'echo "bind: address already in use" >&2; exit 1';
const FOREVER = 'exec sleep 600';

const hasCode =
  (code: string, ...words: string[]) =>
  (error: unknown) =>
    error instanceof HarnessError &&
    error.code === code &&
    words.every((word) => error.message.includes(word));

test('when another process was faster to take the port, others are tried, three times in all', async (t) => {
  const { request, ports } = await fakes(t, { etcd: FOREVER, apiServer: PORT_TAKEN });
  await assert.rejects(startDaemons(request), hasCode('PORT_BUSY'));
  const tried = await ports();
  assert.equal(tried.length, 3);
  assert.equal(new Set(tried).size, 3);
});

test('a given port is tried once', async (t) => {
  const { request, ports } = await fakes(t, { etcd: FOREVER, apiServer: PORT_TAKEN });
  await assert.rejects(startDaemons({ ...request, port: 31_999 }), hasCode('PORT_BUSY', '31999'));
  assert.deepEqual(await ports(), ['31999']);
});

test('a daemon that ends is named with its last lines, and the others are stopped', async (t) => {
  const { request } = await fakes(t, { etcd: 'echo disk full >&2; exit 4', apiServer: FOREVER });
  await assert.rejects(startDaemons(request), hasCode('START_FAILED', 'etcd ended with 4', 'disk full'));
});
