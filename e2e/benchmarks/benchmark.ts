export interface Figure {
  value: number;
  /** `ms`, `MB`, `bytes`, `per s`; `×` for a ratio, '' for a count. */
  unit: string;
}

export type Figures = Readonly<Record<string, Figure>>;

/** What a figure must be; a figure that is missing or no number keeps no bound. */
export type Bound = { figure: string; atMost: number } | { figure: string; atLeast: number };

export type CheckedBound = Bound & { ok: boolean };

export interface BenchmarkContext {
  /** How many objects, keys or events to work with. */
  objects: number;
  /** How often two sides that alternate are measured; the median counts. */
  pairs: number;
  signal: AbortSignal;
  /** Tells people, on standard error, what is going on. */
  progress(line: string): void;
}

/** One thing that is measured, and what the figures must be. */
export interface Benchmark {
  /** What it is called by: `npm run bench -- NAME`. */
  name: string;
  /** In one line. */
  purpose: string;
  /** The bounds are meant for this many; `--objects` gives another number for a quick trial. */
  objects: number;
  bounds: readonly Bound[];
  run(context: BenchmarkContext): Promise<Figures>;
}

export interface BenchmarkResult {
  name: string;
  /** Every bound is kept. */
  pass: boolean;
  bounds: CheckedBound[];
  figures: Figures;
}

export function evaluate(
  { name, bounds }: Pick<Benchmark, 'name' | 'bounds'>,
  figures: Figures,
): BenchmarkResult {
  const checked = bounds.map((bound) => ({ ...bound, ok: keeps(bound, figures[bound.figure]?.value) }));
  return { name, pass: checked.every(({ ok }) => ok), bounds: checked, figures };
}

function keeps(bound: Bound, value = Number.NaN): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}
