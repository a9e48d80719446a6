import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { waitFor } from '../harness/wait-for.ts';
import { labelOf, TestRing } from './test-ring.ts';

const name = 'python';
const program = fileURLToPath(new URL('../examples/shard.py', import.meta.url));

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
  return child.exitCode;
}

/** `kubectl proxy`, and where it listens. */
async function startProxy(t: TestContext, kubeconfig: string): Promise<string> {
  const { kubectl } = await ensureBinaries(['kubectl']);
  const args = ['proxy', '--kubeconfig', kubeconfig, '--port=0', '--reject-methods=^$'];
  const proxy = spawn(kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => end(proxy, 'SIGKILL'));
  for await (const chunk of proxy.stdout) {
    const address = /127\.0\.0\.1:\d+/.exec(String(chunk));
    if (address) return address[0];
  }
  throw new Error('kubectl proxy has ended');
}

const python = spawnSync('python3', ['--version']);

test('a shard in plain Python, written after docs/protocol.md, is one like any other', {
  timeout: 240_000,
  skip: python.error && 'python3 is not installed',
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 60, webhook: true });
  const host = await startProxy(t, ring.controlPlane.kubeconfigPath);
  const start = (): ChildProcess => {
    const shard = spawn('python3', [program, name, ring.namespace, host], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    t.after(() => end(shard, 'SIGKILL'));
    return shard;
  };
  const load = async (): Promise<number> => {
    let count = 0;
    for await (const { items } of ring.client.list(secrets, 'metadata', { namespace: ring.namespace })) {
      count += items.filter((secret) => labelOf(secret) === name).length;
    }
    return count;
  };
  const untilItHas = async (...counts: number[]): Promise<void> => {
    const reached = async (): Promise<boolean> => counts.includes(await load());
    await waitFor(`${counts.join(' or ')} Secrets on ${name}`, reached, { timeoutMs: 40_000 });
  };
  const rest = (withinMs: number, act: () => Promise<unknown>): Promise<number> =>
    ring.play({ moves: 'any', withinMs, act: async () => void (await act()) });

  let shard = start();
  await t.test('it gets its share, at once under a new name', () => untilItHas(20));
  await t.test('it makes what belongs to new objects', async () => {
    await rest(20_000, () => ring.createSecrets(30));
    assert.ok((await load()) > 20);
  });
  await t.test('it hands over to a shard that joins, with what its objects control', async () => {
    await rest(40_000, () => ring.job.fleet.addReplica());
  });
  await t.test('on SIGTERM its objects go to the others', async () => {
    const tookMs = await rest(10_000, async () => assert.equal(await end(shard, 'SIGTERM'), 0));
    t.diagnostic(`at rest after ${Math.round(tookMs)} ms`);
    assert.equal(await load(), 0);
  });
  await t.test('under the same name again, it settles before it gets its share', async () => {
    const began = performance.now();
    shard = start();
    await untilItHas(22, 23); // of 90, on 4 shards
    t.diagnostic(`after ${Math.round(performance.now() - began)} ms`);
    assert.ok(performance.now() - began > 11_000);
    await rest(40_000, async () => undefined);
  });
  await t.test('killed, its objects go to the others when its Lease has run out', async () => {
    await end(shard, 'SIGKILL');
    await untilItHas(0);
    await rest(10_000, async () => undefined);
  });
});
