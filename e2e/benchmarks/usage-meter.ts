import { readFileSync, writeFileSync } from 'node:fs';

/** What a piece of work took of its process. */
export interface Usage {
  /** Of all threads of the process, those of V8 included. */
  cpuMs: number;
  wallMs: number;
  /** Greatest resident memory in the meantime, above that at the start, in MB (10⁶ bytes). */
  peakRssMb: number;
}

/** Runs the work and measures what this process uses meanwhile; garbage of before is collected first. */
export async function usageOf<T>(work: () => Promise<T>): Promise<{ usage: Usage; result: T }> {
  heapUsedBytes();
  const peakAbove = watchPeak();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - startedAt;
  return { usage: { cpuMs: (user + system) / 1_000, wallMs, peakRssMb: peakAbove() / 1e6 }, result };
}

/** The heap in use after a garbage collection; the process must run with `--expose-gc`. */
export function heapUsedBytes(): number {
  if (!globalThis.gc) throw new Error('this process does not run with --expose-gc');
  globalThis.gc();
  globalThis.gc(); // what finalizers let go of
  return process.memoryUsage().heapUsed;
}

/** From now on; the system keeps the greatest value itself, so that no peak is missed. */
function watchPeak(): () => number {
  const start = process.memoryUsage.rss();
  if (process.platform !== 'linux') return () => process.resourceUsage().maxRSS * 1_024 - start;
  writeFileSync('/proc/self/clear_refs', '5'); // the peak begins anew
  return () => {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(kilobytes) * 1_024 - start;
  };
}
