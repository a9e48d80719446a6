import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Contents } from './contents.ts';
import type { FaultWorld } from './fixture.ts';
import { changesOfEveryKind, History } from './history.ts';

const program = fileURLToPath(new URL('./frozen-informer.ts', import.meta.url));
const speed = 60;
/** Two minutes for the informer: longer than it takes a silent connection for dead. */
const frozenMs = 2_000;

interface Report {
  contents: [...Parameters<Contents['set']>][];
  flaw: string | null;
}

/** Freezes a process with an informer; `cut`: its connections are broken off meanwhile. */
export async function freeze(world: FaultWorld, { cut }: { cut: boolean }): Promise<void> {
  const namespace = await world.namespace();
  const history = new History(world.direct, namespace);
  await history.begin();
  const { proxy, kubeconfig } = await world.proxy();
  await using _ = proxy;
  const child = fork(program, [kubeconfig, namespace, String(speed)]);
  try {
    await once(child, 'message'); // it has its first list
    child.kill('SIGSTOP');
    const began = performance.now();
    for (let steps = 0; steps < 2 * changesOfEveryKind; steps += 1) await history.step();
    if (cut) proxy.cut();
    await systemClock.sleep(frozenMs - (performance.now() - began));
    child.kill('SIGCONT');
    await follows(world, namespace, child);
    for (let steps = 0; steps < changesOfEveryKind; steps += 1) await history.step();
    await follows(world, namespace, child);
    assert.equal(proxy.received('watch-list'), 1);
    assert.ok(proxy.received() <= 5, `${proxy.received()} requests`);
  } finally {
    child.kill('SIGKILL');
  }
}

async function follows(world: FaultWorld, namespace: string, child: ChildProcess): Promise<void> {
  const server = await world.contents(namespace);
  const report = await waitFor('the informer to be as the API server', async () => {
    const answered: Promise<Report[]> = once(child, 'message', { signal: AbortSignal.timeout(5_000) });
    child.send('report');
    const [answer] = await answered;
    return answer && isDeepStrictEqual(new Map(answer.contents), server) && answer;
  });
  assert.equal(report.flaw, null);
}
