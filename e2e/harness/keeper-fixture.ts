/** For tests: starts a process with a child of its own, and a folder, under the keeper; says so, and waits. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Keeper } from './keeper-client.ts';
import { waitFor } from './wait-for.ts';

const keeper = Keeper.shared();
const folder = await keeper.makeFolder('keeper-test-');
const { pid } = await keeper.start({
  command: '/bin/sh',
  args: ['-c', 'sleep 600 & echo $! > child; trap "" TERM INT; wait'],
  env: { PATH: '/usr/bin:/bin' },
  cwd: folder,
  logFile: join(folder, 'log'),
});
const child = await waitFor(
  'the child',
  async () => Number(await readFile(join(folder, 'child'), 'utf8').catch(() => '')) || undefined,
);
process.stdout.write(`${JSON.stringify({ folder, pids: [pid, child], keeper: keeper.pid })}\n`);
switch (process.argv[2]) {
  case 'throw':
    throw new Error('as tests do');
  case 'exit':
    process.exit(0);
}
