/**
 * For tests: an informer in a process of its own, which can be frozen. Arguments: kubeconfig file, namespace, speed of
 * the clock. Says when it has its first list, answers each message with what it has, and ends with its parent.
 */
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { AcceleratedClock } from './accelerated-clock.ts';
import { contentsOf } from './contents.ts';
import type { ConfigMap } from './history.ts';
import { Story } from './story.ts';

const [kubeconfig = '', namespace = '', speed = '1'] = process.argv.slice(2);
const stop = new AbortController();
process.once('disconnect', () => stop.abort(new Error('the parent has ended')));

const clock = new AcceleratedClock(Number(speed));
const transport = new Transport(loadKubeConfig({ kubeconfig }), { clock });
const client = new KubeClient(transport);
const informer = new Informer<ConfigMap>({
  client,
  resource: configMaps,
  form: 'full',
  namespace,
  clock,
  logger: silentLogger,
});
const story = new Story<ConfigMap>();
informer.addHandler(story);
const running = informer.run(stop.signal);
await informer.waitForSync(stop.signal);
const say = (): void => {
  const contents = [...contentsOf(informer.store.list())];
  process.send?.({ contents, flaw: story.flaw(informer.store) ?? null });
};
process.on('message', say);
say();
await running;
await transport.close();
