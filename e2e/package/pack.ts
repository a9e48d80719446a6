import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Manifest, packedManifest } from './packed-manifest.ts';
import { runTool } from './run-tool.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'shared');

/**
 * Packs the shared library for people outside of this repository and returns the path of the archive. Node.js doesn't
 * run TypeScript below node_modules, so what is packed is compiled: what the package's entries need, and no test.
 */
export async function packShared(destination: string): Promise<string> {
  await mkdir(destination, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-package-'));
  try {
    const project = join(source, 'tsconfig.package.json');
    await runTool(join(root, 'node_modules/.bin/tsc'), ['--project', project, '--outDir', folder], root);
    await copyFile(join(source, 'README.md'), join(folder, 'README.md'));
    await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    const manifest: Manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
    await writeFile(join(folder, 'package.json'), JSON.stringify(packedManifest(manifest), undefined, 2));
    const archive = await runTool('npm', ['pack', '--silent', '--pack-destination', destination], folder);
    return join(destination, archive);
  } finally {
    await rm(folder, { recursive: true });
  }
}
