import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials } from './bill-of-materials.ts';
import { bundle } from './bundle-programs.ts';
import { type BundledPackage, bundledPackages, type PackageLock } from './bundled-packages.ts';
import { sharedLibraries } from './shared-libraries.ts';
import type { ArchiveEntry } from './tar-archive.ts';

const top = fileURLToPath(new URL('..', import.meta.url));

/** What the image holds, in layers: the second one changes with the programs, the first with Node and the machine. */
export interface ImageFiles {
  runtime: ArchiveEntry[];
  programs: ArchiveEntry[];
  /** CycloneDX; in the image, too. */
  bill: string;
}

/** Where everything is in the image. */
export const paths = {
  node: 'bin/node',
  program: 'app/main.mjs',
  bill: 'app/sbom.cdx.json',
} as const;

/** Who runs the programs: a number by which the kubelet sees that it isn't root. */
export const user = 65532;

const accounts: ArchiveEntry[] = [
  {
    path: 'etc/passwd',
    content: Buffer.from(
      `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${user}:${user}:nonroot:/:/sbin/nologin\n`,
    ),
  },
  { path: 'etc/group', content: Buffer.from(`root:x:0:\nnonroot:x:${user}:\n`) },
  { path: 'etc/nsswitch.conf', content: Buffer.from('hosts: files dns\n') },
];

/** Where the container runtime mounts something: on a read-only file system they have to be there. */
const mountPoints: ArchiveEntry[] = [
  { path: 'dev' },
  { path: 'proc' },
  { path: 'sys' },
  { path: 'tmp', mode: 0o1777 },
];

/** Makes everything that is in the image from this machine's Node and libraries, and the programs' sources. */
export async function imageFiles(facts: { version: string; created: string }): Promise<ImageFiles> {
  const node = await nodePackage();
  const program = join(node.folder, 'bin/node');
  const files = [
    { path: paths.node, content: await readFile(program), mode: 0o755 },
    ...(await Promise.all(
      (
        await sharedLibraries(program)
      ).map(async (path) => ({
        path: path.slice(1),
        content: await readFile(path),
        mode: 0o755,
      })),
    )),
  ];
  const { entries, packages } = await bundledPrograms();
  const hashed = files.map(({ path, content }) => ({
    path: `/${path}`,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const [hashedNode = { path: '', sha256: '' }, ...libraries] = hashed;
  const bill = JSON.stringify(
    billOfMaterials({ ...facts, node: { ...hashedNode, version: node.version }, libraries, packages }),
    null,
    2,
  );
  return {
    runtime: [
      ...files,
      ...accounts,
      ...mountPoints,
      { path: 'licenses/node', content: await readFile(join(node.folder, 'LICENSE')) },
    ],
    programs: [
      ...entries,
      { path: paths.bill, content: Buffer.from(bill) },
      { path: 'licenses/controller-sharding', content: await readFile(join(top, 'LICENSE')) },
      { path: 'licenses/npm', content: Buffer.from(await licensesOf(packages)) },
    ],
    bill,
  };
}

/** The npm package of the Node that runs this: it is pinned, which the machine's own is not. */
async function nodePackage(): Promise<{ folder: string; version: string }> {
  const folder = join(top, `node_modules/node-linux-${process.arch}`);
  const running = await realpath(process.execPath);
  if (running !== join(folder, 'bin/node')) {
    throw new Error(
      `the image is made with the Node of this repository, and this is ${running}: npm run image`,
    );
  }
  return { folder, version: process.versions.node };
}

async function bundledPrograms(): Promise<{ entries: ArchiveEntry[]; packages: BundledPackage[] }> {
  const lock: PackageLock = JSON.parse(await readFile(join(top, 'package-lock.json'), 'utf8'));
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-bundles-'));
  try {
    const { sources } = await bundle(folder);
    const entries = (await readdir(folder)).map(async (name) => ({
      path: `app/${name}`,
      content: await readFile(join(folder, name)),
    }));
    return { entries: await Promise.all(entries), packages: bundledPackages(sources, lock) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Most licenses ask to be passed on. */
async function licensesOf(packages: readonly BundledPackage[]): Promise<string> {
  const texts = packages.map(async ({ name, version, license, folder }) => {
    const names = (await readdir(join(top, folder)))
      .filter((file) => /^(licen[cs]e|notice)/i.test(file))
      .toSorted();
    const contents = await Promise.all(names.map((file) => readFile(join(top, folder, file), 'utf8')));
    return [`${name} ${version} (${license})`, ...contents.map((text) => text.trim())].join('\n\n');
  });
  return `${(await Promise.all(texts)).join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
