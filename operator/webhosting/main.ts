import { runOperator } from '@controller-sharding/shared/manager/run-operator.ts';
import { addWebsiteController } from './controller.ts';
import { hostingFlags, hostingOptions } from './hosting-flags.ts';
import { operatorName } from './resources.ts';

await runOperator({
  name: operatorName,
  purpose: 'Serves Websites: for each a page in the look of its Theme, an nginx, a Service and an Ingress.',
  ring: operatorName,
  flags: hostingFlags,
  setup({ manager, workers, clock, flags }) {
    addWebsiteController(manager, { ...hostingOptions(flags), workers, clock });
  },
});
