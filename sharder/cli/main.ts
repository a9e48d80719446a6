import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { parseCommand } from './options.ts';
import { runSharder } from './run.ts';

await runProcess('sharder', (signal) =>
  parseCommand(process.argv.slice(2), (options) => runSharder(options, signal)),
);
