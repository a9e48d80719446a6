import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import type { Benchmark } from './benchmark.ts';

export interface BenchOptions {
  benchmark: Benchmark;
  json: boolean;
  objects: number;
  pairs: number;
}

/** Throws UsageError for anything it can't understand; undefined when only help was asked for. */
export async function parseOptions(
  args: readonly string[],
  benchmarks: readonly Benchmark[],
): Promise<BenchOptions | undefined> {
  const list = benchmarks.map(({ name, purpose }) => `  ${name.padEnd(10)}${purpose}`).join('\n');
  const argv = await commandLine('bench', args)
    .command('$0 [name]', `Measures the product, and checks its bounds. NAME is one of:\n\n${list}`)
    .positional('name', { type: 'string' })
    .options({
      json: { type: 'boolean', default: false, describe: 'the last line of the output is a JSON object' },
      objects: {
        type: 'number',
        describe: 'how many objects, keys or events; for quick trials: the bounds are meant for the default',
      },
      pairs: {
        type: 'number',
        default: 5,
        describe: 'how often both sides are measured, one after the other; the median counts',
      },
    })
    .epilogue('Ends with 0 when every bound is kept, 3 when one is not, 2 for wrong usage, 1 for a failure.')
    .parseAsync();
  if (args.includes('--help')) return undefined;
  const benchmark = benchmarkNamed(argv.name, benchmarks);
  const { json, objects = benchmark.objects, pairs } = argv;
  if (!Number.isInteger(objects) || objects < 1) {
    throw new UsageError('--objects: must be a whole number of at least 1');
  }
  if (!Number.isInteger(pairs) || pairs < 1) {
    throw new UsageError('--pairs: must be a whole number of at least 1');
  }
  return { benchmark, json, objects, pairs };
}

function benchmarkNamed(name: string | undefined, benchmarks: readonly Benchmark[]): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found) return found;
  const what = name === undefined ? 'the name of a benchmark is missing' : `unknown benchmark ${name}`;
  throw new UsageError(`${what}: choose from ${benchmarks.map((benchmark) => benchmark.name).join(', ')}`);
}
