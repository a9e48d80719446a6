/**
 * For tests: starts a control plane, says what it consists of, and waits. Arguments: how it ends, and the folder for
 * logs.
 */
import { startControlPlane } from './control-plane.ts';

const [end, logDir] = process.argv.slice(2);
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

const abort = new AbortController();
if (end === 'abort') setTimeout(() => abort.abort(new Error('enough')), 500);
try {
  const controlPlane = await startControlPlane({ logDir, signal: abort.signal });
  say({ dir: controlPlane.dir, pids: Object.values(controlPlane.pids) });
  if (end === 'stop-on-signal') process.once('SIGTERM', () => void controlPlane.stop());
} catch (error) {
  say({ error: String(error) });
}
if (end === 'throw') throw new Error('as tests do');
