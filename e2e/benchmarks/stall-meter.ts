export interface Stalls {
  /** Longest CPU time of this thread between two turns of the event loop, garbage collection included. */
  stallMs: number;
  /** Longest time on the clock between two turns, waiting for a processor included. */
  wallStallMs: number;
}

/** How often is measured: stalls are longer by no more than this. Measuring takes 2 to 4 % of a CPU itself. */
const everyMs = 1;

/** Measures how long the event loop is held up. */
export class StallMeter {
  #timer: NodeJS.Timeout | undefined;
  #cpuMs = 0;
  #wallMs = 0;
  #longest: Stalls = { stallMs: 0, wallStallMs: 0 };

  /** Forgets what was before. */
  start(): void {
    this.#longest = { stallMs: 0, wallStallMs: 0 };
    this.#cpuMs = threadCpuMs();
    this.#wallMs = performance.now();
    this.#timer ??= setInterval(this.#turn, everyMs);
  }

  /** The longest since the start. */
  stop(): Stalls {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#turn();
    return this.#longest;
  }

  readonly #turn = (): void => {
    const cpuMs = threadCpuMs();
    const wallMs = performance.now();
    const { stallMs, wallStallMs } = this.#longest;
    this.#longest = {
      stallMs: Math.max(stallMs, cpuMs - this.#cpuMs),
      wallStallMs: Math.max(wallStallMs, wallMs - this.#wallMs - everyMs),
    };
    this.#cpuMs = cpuMs;
    this.#wallMs = wallMs;
  };
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Runs the work and measures how long it holds up the event loop. */
export async function stallsOf<T>(work: () => Promise<T>): Promise<{ stalls: Stalls; result: T }> {
  const meter = new StallMeter();
  meter.start();
  const result = await work();
  return { stalls: meter.stop(), result };
}
