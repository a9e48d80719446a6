/** `npm run bench -- NAME`: runs one benchmark and checks its bounds. */
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { type Benchmark, evaluate } from './benchmark.ts';
import { exporter } from './exporter.ts';
import { list } from './list.ts';
import { moves } from './moves.ts';
import { parseOptions } from './options.ts';
import { placement } from './placement.ts';
import { policies } from './policies.ts';
import { queue } from './queue.ts';
import { jsonLine, table } from './report.ts';
import { scale } from './scale.ts';
import { shard } from './shard.ts';
import { watch } from './watch.ts';
import { webhook } from './webhook.ts';

const benchmarks: readonly Benchmark[] = [
  exporter,
  list,
  moves,
  placement,
  policies,
  queue,
  scale,
  shard,
  webhook,
  watch,
];

class BoundsError extends Error {
  override readonly name = 'BoundsError';
  readonly exitCode = 3;
}

await runProcess('bench', async (signal) => {
  const options = await parseOptions(process.argv.slice(2), benchmarks);
  if (!options) return;
  const { benchmark, objects, pairs, json } = options;
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = evaluate(benchmark, await benchmark.run({ objects, pairs, signal, progress }));
  process.stdout.write(`${table(result)}\n`);
  if (json) process.stdout.write(`${jsonLine(result)}\n`);
  if (result.pass) return;
  const broken = result.bounds.filter(({ ok }) => !ok).map(({ figure }) => figure);
  throw new BoundsError(`${benchmark.name}: not within its bounds: ${broken.join(', ')}`);
});
