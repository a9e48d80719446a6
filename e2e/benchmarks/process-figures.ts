import { readFile, writeFile } from 'node:fs/promises';

/** Figures that Linux keeps of another process. */

/** Ms that all threads of a process have used, in steps of 10 ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may contain anything: state is the third field, user and system time are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MB (10⁶ bytes): now, and the greatest since `forgetPeak`. */
export async function memoryMbOf(pid: number): Promise<{ rss: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { rss: field(status, 'VmRSS') / 1e6, peak: field(status, 'VmHWM') / 1e6 };
}

export const forgetPeak = (pid: number): Promise<void> => writeFile(`/proc/${pid}/clear_refs`, '5');

/** MB (10⁶ bytes) that a process has read, from the network and elsewhere. */
export async function readMbOf(pid: number): Promise<number> {
  return field(await readFile(`/proc/${pid}/io`, 'utf8'), 'rchar') / 1e6;
}

function field(text: string, name: string): number {
  const [, value, unit] = new RegExp(`^${name}:\\s+(\\d+)( kB)?$`, 'm').exec(text) ?? [];
  return Number(value) * (unit === undefined ? 1 : 1_024);
}
