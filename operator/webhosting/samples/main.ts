/** Fills a cluster with Websites: `node operator/webhosting/samples/main.ts --help`. */
import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { runProcess, UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { createSamples } from './create.ts';
import { samples } from './samples.ts';

const name = 'webhosting-samples';
const count = (describe: string, value: number) => ({ type: 'number', default: value, describe }) as const;

await runProcess(name, async (signal) => {
  const options = await commandLine(name, process.argv.slice(2))
    .usage('$0\n\nCreates projects, Themes and Websites that look like real ones.')
    .options({
      help: { type: 'boolean', describe: 'show this' },
      kubeconfig: {
        type: 'string',
        describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
      },
      websites: count('how many Websites', 100),
      namespaces: count('how many namespaces they are in', 10),
      themes: count('how many Themes they have', 10),
      seed: count('the same objects for the same number', 1),
      'skip-workload': { type: 'boolean', default: false, describe: 'Websites that get no pods' },
    })
    .parseAsync();
  if (options.help === true) return;
  const { websites, namespaces, themes, seed } = options;
  for (const [flag, value] of Object.entries({ websites, namespaces, themes })) {
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${flag}: must be 1 or more`);
  }
  if (!Number.isInteger(seed)) throw new UsageError('--seed: must be a whole number');
  const connection = connect({
    kubeconfig: options.kubeconfig,
    clock,
    userAgent: name,
    registry: createRegistry(),
  });
  try {
    const made = samples({ websites, namespaces, themes, seed, skipWorkload: options.skipWorkload });
    const created = await createSamples(connection.client, made, signal);
    process.stdout.write(`created ${created} objects\n`);
  } finally {
    await connection.close();
  }
});
