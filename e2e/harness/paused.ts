import { readdir, readFile } from 'node:fs/promises';
import { waitFor } from './wait-for.ts';

/** Resolves once no thread of a process that was sent SIGSTOP runs any more: each one stops when the signal reaches it. */
export const untilPaused = (pid: number): Promise<true> =>
  waitFor(
    `process ${pid} to stand still`,
    async () => {
      const threads = await readdir(`/proc/${pid}/task`);
      const states = await Promise.all(threads.map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`)));
      return states.every((state) => state === 'T' || state === '');
    },
    { everyMs: 2 },
  );

/** The letter after the program's name in parentheses; '' of a thread that has ended. */
async function stateOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.charAt(text.lastIndexOf(')') + 2);
}
