import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { programPath } from './commands.ts';

/** By Debian package. */
const programs: Record<string, string> = {
  bash: 'bash',
  ip: 'iproute2',
  mount: 'mount',
  nft: 'nftables',
  nsenter: 'util-linux',
  unshare: 'util-linux',
};

/** This machine can't have nodes; the message says what it lacks. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
}

/** Throws MachineError. */
export async function checkMachine(): Promise<void> {
  const elsewhere = 'or use a cluster of your own: make test-cluster KUBECONFIG=file IMAGE=reference';
  if (process.platform !== 'linux') throw new MachineError(`Nodes need Linux: use it, ${elsewhere}`);
  if (process.getuid?.() !== 0) throw new MachineError(`Nodes need root: be root, ${elsewhere}`);
  const missing: string[] = [];
  for (const [program, where] of Object.entries(programs)) {
    if (!(await isThere(program))) missing.push(`${program} (package ${where})`);
  }
  if (missing.length > 0)
    throw new MachineError(`Nodes need ${missing.join(', ')}: install that, ${elsewhere}`);
}

async function isThere(program: string): Promise<boolean> {
  for (const folder of programPath.split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
