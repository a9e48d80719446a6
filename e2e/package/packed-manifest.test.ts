import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packedManifest } from './packed-manifest.ts';

test('a packed manifest names JavaScript and declarations, and nothing that only this repository needs', () => {
  const manifest = {
    name: 'a',
    version: '1.2.3',
    private: true,
    exports: { '.': './index.ts', './testing': './testing/index.ts', './*.ts': './*.ts' },
    dependencies: { pino: '10.4.0' },
    devDependencies: { 'fast-check': '4.10.2' },
  };
  assert.deepEqual(packedManifest(manifest), {
    name: 'a',
    version: '1.2.3',
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './testing': { types: './testing/index.d.ts', default: './testing/index.js' },
    },
    dependencies: { pino: '10.4.0' },
  });
});

test('an entry that is not a TypeScript file is refused', () => {
  const manifest = { name: 'a', version: '1.2.3', exports: { '.': './index.js' } };
  assert.throws(() => packedManifest(manifest), /\.\/index\.js is not a TypeScript file/);
});
