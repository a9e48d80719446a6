/** For tests: starts a control plane, says what it consists of, and waits. */
import { startControlPlane } from './control-plane.ts';

const controlPlane = await startControlPlane();
const { dir, pids } = controlPlane;
process.stdout.write(`${JSON.stringify({ dir, pids: Object.values(pids) })}\n`);
switch (process.argv[2]) {
  case 'throw':
    throw new Error('as tests do');
  case 'stop-on-signal':
    process.once('SIGTERM', () => void controlPlane.stop());
}
