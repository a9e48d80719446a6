/** The child's end of `measure`: the program of a side calls `runSide`. */
import { type Stalls, stallsOf } from './stall-meter.ts';
import { type Usage, usageOf } from './usage-meter.ts';

/** What is measured in one run: each disturbs the other. */
export type What = 'usage' | 'stalls';

export interface SideRequest {
  what: What;
  input: object;
}

export interface SideDone<Result> {
  kind: 'done';
  /** One of the two. */
  usage: Usage | undefined;
  stalls: Stalls | undefined;
  result: Result;
}

export type SideMessage<Result> = { kind: 'begins' } | SideDone<Result> | { kind: 'failed'; message: string };

export type Measure = <T>(work: () => Promise<T>) => Promise<T>;

export type SideRun<Input> = (input: Input, measure: Measure) => Promise<object>;

/**
 * Runs one side of a benchmark in this process, with the input of its parent. `run` calls `measure` once with the work
 * that counts, after loading and warming up; what it returns must be JSON. Ends the process.
 */
export function runSide<Input>(run: SideRun<Input>): void {
  process.once('disconnect', () => process.exit(1)); // the parent is gone
  process.once('message', ({ what, input }: { what: What; input: Input }) => {
    const figures: { usage: Usage | undefined; stalls: Stalls | undefined } = {
      usage: undefined,
      stalls: undefined,
    };
    const measure: Measure = async (work) => {
      await tell({ kind: 'begins' });
      const done = await (what === 'usage' ? usageOf(work) : stallsOf(work));
      Object.assign(figures, done);
      return done.result;
    };
    run(input, measure)
      .then((result): SideMessage<object> => {
        const { usage, stalls } = figures;
        if (!usage && !stalls) throw new Error('the side has measured nothing');
        return { kind: 'done', usage, stalls, result };
      })
      .catch((error: unknown): SideMessage<object> => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return { kind: 'failed', message };
      })
      .then(tell)
      .then(() => process.exit(0))
      .catch(() => process.exit(1));
  });
}

const tell = (message: SideMessage<object>): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
