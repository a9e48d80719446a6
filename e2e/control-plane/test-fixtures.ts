import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { create } from 'tar';
import type { Environment } from './binary-cache.ts';
import type { Progress } from './progress.ts';

/**
 * Stands for Go: notes how it is called, and "builds" files that say so. While the file $FAKE_GO_WAIT exists, a build
 * has written only a part and waits.
 */
const FAKE_GO = `#!/bin/sh
echo "$*" >> "$FAKE_GO_CALLS"
case "$1" in
env) echo "\${FAKE_GO_VERSION:-go1.26.8}" ;;
list) printf 'fmt\\nos\\n' ;;
build)
  while [ "$1" != -o ]; do shift; done
  out=$2; shift 2
  for package; do
    case "$out" in */) file=$out\${package##*/} ;; *) file=$out ;; esac
    printf part > "$file"
    while [ -e "$FAKE_GO_WAIT" ]; do sleep 0.02; done
    echo "$package" >&2
    echo "built from $package" > "$file"
  done ;;
esac
`;

export interface Sandbox {
  folder: string;
  cacheHome: string;
  /** Its own cache, a fake Go alone on the PATH, nothing to download. */
  env: Environment;
  /** Files below the cache, without the lock. */
  cached: () => Promise<string[]>;
  /** The calls of `go build` so far. */
  builds: () => Promise<string[]>;
}

async function writeProgram(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o755 });
}

/** A folder of its own for a test. */
export async function sandbox(t: TestContext): Promise<Sandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const calls = join(folder, 'go-calls');
  await writeProgram(join(folder, 'bin', 'go'), FAKE_GO);
  const cacheHome = join(folder, 'cache');
  return {
    folder,
    cacheHome,
    env: {
      XDG_CACHE_HOME: cacheHome,
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      FAKE_GO_CALLS: calls,
      ENVTEST_INDEX_URL: 'http://127.0.0.1:1/index.yaml',
    },
    cached: async () => {
      const files = await readdir(cacheHome, { recursive: true }).catch((): string[] => []);
      return files
        .filter((file) => file.split('/').length > 3)
        .map((file) => file.split('/').slice(2).join('/'))
        .toSorted();
    },
    builds: async () => {
      const text = await readFile(calls, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line.startsWith('build '));
    },
  };
}

/** A folder with programs of the given names, as KUBEBUILDER_ASSETS names it. */
export async function assetsFolder({ folder }: Sandbox, names: string[]): Promise<string> {
  const assets = join(folder, 'assets');
  for (const name of names) await writeProgram(join(assets, name), `asset ${name}`);
  return assets;
}

/** Keeps what is shown, a line for each. */
export function recordedProgress(): Progress & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    note: (line) => void lines.push(line),
    step: async (title, work) => {
      lines.push(title);
      const without = await work(() => {});
      if (without !== undefined) lines.push(without);
    },
  };
}

export interface ArchiveServerOptions {
  version: string;
  /** What the server really sends of the archive. */
  sent?: (archive: Buffer) => Buffer;
  /** Ends the connection before all of it was sent. */
  breakOff?: boolean;
}

/** An HTTP server with an index of envtest releases and an archive for this machine; the URL of the index. */
export async function archiveServer(
  t: TestContext,
  box: Sandbox,
  { version, sent = (archive) => archive, breakOff = false }: ArchiveServerOptions,
): Promise<string> {
  const content = join(box.folder, 'archive');
  for (const name of ['etcd', 'kube-apiserver', 'kubectl'])
    await writeProgram(join(content, 'controller-tools', 'envtest', name), `downloaded ${name} ${version}`);
  const file = join(box.folder, 'archive.tar.gz');
  await create({ file, cwd: content, gzip: true }, ['controller-tools']);
  const archive = await readFile(file);
  const body = sent(archive);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const fileName = `envtest-v${version}-${process.platform}-${architecture}.tar.gz`;

  const server = createServer((request, answer) => {
    if (request.url === '/index.yaml') {
      answer.end(
        `releases:\n  v${version}:\n    ${fileName}:\n` +
          `      hash: ${createHash('sha512').update(archive).digest('hex')}\n` +
          `      selfLink: ${base}/${fileName}\n`,
      );
    } else if (breakOff) {
      answer.writeHead(200, { 'content-length': archive.length });
      answer.write(archive.subarray(0, archive.length / 2), () => answer.destroy());
    } else {
      answer.end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return `${base}/index.yaml`;
}
