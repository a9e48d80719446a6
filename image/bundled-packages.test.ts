import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundledPackages } from './bundled-packages.ts';

const entry = (version: string) => ({ version, license: 'MIT', integrity: `sha512-${version}` });

test('each package of which a file is bundled, once, nested ones by themselves', () => {
  const packages = {
    'node_modules/a': entry('1.0.0'),
    'node_modules/@scope/b': entry('2.0.0'),
    'node_modules/a/node_modules/@scope/b': entry('1.5.0'),
    'node_modules/not-bundled': entry('3.0.0'),
  };
  const files = [
    'shared/index.ts',
    'node_modules/a/lib/one.js',
    'node_modules/a/lib/two.js',
    'node_modules/a/node_modules/@scope/b/index.js',
    'node_modules/@scope/b/index.js',
  ];
  const found = bundledPackages(files, { packages }).map(({ name, version, folder }) => [
    name,
    version,
    folder,
  ]);
  assert.deepEqual(found, [
    ['@scope/b', '2.0.0', 'node_modules/@scope/b'],
    ['a', '1.0.0', 'node_modules/a'],
    ['@scope/b', '1.5.0', 'node_modules/a/node_modules/@scope/b'],
  ]);
});

test('a package without a license is an error', () => {
  const packages = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } };
  assert.throws(
    () => bundledPackages(['node_modules/a/index.js'], { packages }),
    /license.* node_modules\/a$/,
  );
});
