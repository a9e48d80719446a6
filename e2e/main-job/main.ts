import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { borrowedCluster, ownControlPlane } from './cluster/surroundings.ts';
import { checkPort } from './fleet/service.ts';
import { Job } from './job.ts';
import { type MainJobOptions, parseOptions } from './options.ts';
import { runScript } from './script/run-script.ts';
import { runLive } from './view/run-live.ts';

const sharders = 2;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(options: MainJobOptions, signal: AbortSignal): Promise<void> {
  const { kubeconfig, webhookPort } = options;
  if (webhookPort !== undefined) await checkPort(webhookPort);
  const surroundings = await (kubeconfig === undefined
    ? ownControlPlane(signal)
    : borrowedCluster(kubeconfig, signal));
  const own = kubeconfig === undefined;
  let failed = true;
  try {
    print(`API server ${surroundings.url} (export KUBECONFIG=${surroundings.kubeconfig})`);
    const job = new Job({
      surroundings,
      clock,
      webhookPort: webhookPort ?? (own ? 0 : undefined),
      // As in an image: else the caches freeze every object, to find faults in tests.
      env: { NODE_ENV: 'production' },
    });
    try {
      await job.start(sharders, signal);
      if (options.live) await runLive(job, options, signal);
      else await runScript(job, { ...options, print }, signal);
      failed = false;
    } finally {
      await job.end();
    }
  } finally {
    await surroundings.end(failed && !signal.aborted);
  }
}

await runProcess('main-job', async (signal) => {
  const { stdin, stdout, env } = process;
  const options = await parseOptions(process.argv.slice(2), { isTTY: stdin.isTTY && stdout.isTTY, env });
  if (options !== undefined) await run(options, signal);
});
