import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface ContainerOptions {
  /** Folder with the files of the image: becomes its root, read-only. */
  root: string;
  /** Folder that is mounted, read-only, on /tmp. */
  mounted: string;
  /** `user:group` */
  user: string;
  command: readonly string[];
}

/** As a container runtime does it, without one. */
const script = `
set -e
mount --bind "$ROOT" "$ROOT"
mount --bind "$MOUNTED" "$ROOT/tmp"
mount -o remount,bind,ro "$ROOT"
mount -o remount,bind,ro "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount --bind /dev "$ROOT/dev"
exec env -i PATH=/bin "$(command -v chroot)" --userspec="$OWNER" "$ROOT" "$@"
`;

const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--propagation=private'];

/** Undefined: containers can be run here. Else why not. */
export function whyNoContainers(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make namespaces';
  try {
    execFileSync('unshare', [...unshare, 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'namespaces cannot be made here';
  }
}

/**
 * A program as the first process of its own namespaces of processes and mounts, with a read-only root, as a user without
 * rights. It shares the network of this machine.
 */
export class Container {
  readonly startedAt: number = performance.now();
  /** Exit code; null if it was killed. */
  readonly exited: Promise<number | null>;
  output = '';
  errors = '';
  readonly #unshare: ChildProcess;

  constructor({ root, mounted, user, command }: ContainerOptions) {
    this.#unshare = spawn('unshare', [...unshare, 'sh', '-c', script, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ROOT: root, MOUNTED: mounted, OWNER: user },
    });
    this.#unshare.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.#unshare.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.exited = once(this.#unshare, 'close').then(([code]: Array<number | null>) => code ?? null);
  }

  /** Of its first process, outside of its namespace; undefined while there is none. */
  get pid(): number | undefined {
    const { pid } = this.#unshare;
    if (pid === undefined) return undefined;
    try {
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
      return child ? Number(child) : undefined;
    } catch {
      return undefined; // it has ended
    }
  }

  /** Sends a signal to its first process, as the kubelet does. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(pid, signal);
  }

  kill(): void {
    this.#unshare.kill('SIGKILL');
  }
}
