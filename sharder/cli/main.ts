import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { runCleanup } from './cleanup.ts';
import { withGrace } from './grace.ts';
import { keepHeapSmall } from './memory.ts';
import { parseCommand } from './options.ts';
import { runPolicies } from './policies.ts';
import { runSharder } from './run.ts';

keepHeapSmall();
await runProcess('sharder', (signal) =>
  parseCommand(process.argv.slice(2), {
    run: (options) =>
      withGrace(runSharder(options, signal), options.config.gracefulShutDown, systemClock, signal),
    cleanup: (command) => runCleanup(command, signal),
    policies: (command) => runPolicies(command, signal),
  }),
);
