import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Some dependencies are CommonJS, and require Node's own modules. */
const requireOfModules =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

/** Of undici three classes are used; to load the rest of it, too, takes 10 MB of memory. */
const partsOfUndici: Plugin = {
  name: 'parts-of-undici',
  setup({ onResolve, onLoad }) {
    const namespace = 'parts';
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace }));
    onLoad({ filter: /./, namespace }, () => ({
      contents: Object.entries({ Agent: 'agent', Pool: 'pool', ProxyAgent: 'proxy-agent' })
        .map(([name, file]) => `export { default as ${name} } from 'undici/lib/dispatcher/${file}.js';`)
        .join('\n'),
      resolveDir: import.meta.dirname,
    }));
  },
};

export interface Bundles {
  /** Their size. */
  bytes: number;
  /** Files that are in them, relative to the top of the repository. */
  sources: string[];
}

/**
 * Bundles the programs of the image into a folder; `main.mjs` starts them. They need nothing else but Node, start in
 * half the time, and take 40 MB less memory than from their sources, since no types have to be taken out.
 */
export async function bundle(folder: string): Promise<Bundles> {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true, // a program loads only what it needs
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true, // but not names, for the sake of stacks
    legalComments: 'external',
    banner: { js: requireOfModules },
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [partsOfUndici],
    metafile: true,
    logLevel: 'error',
  });
  return {
    bytes: Object.values(metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0),
    sources: Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)),
  };
}
