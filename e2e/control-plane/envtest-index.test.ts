import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { chooseArchive } from './envtest-index.ts';

const index = (...versions: string[]): string =>
  stringify({
    releases: Object.fromEntries(
      versions.map((version) => [
        version,
        {
          [`envtest-${version}-linux-amd64.tar.gz`]: { hash: 'ab', selfLink: `https://x/${version}/amd64` },
          [`envtest-${version}-darwin-arm64.tar.gz`]: { hash: 'cd', selfLink: `https://x/${version}/arm64` },
        },
      ]),
    ),
  });

const rows: [string, string[], string | undefined][] = [
  ['the wanted version', ['v1.36.1', 'v1.37.1', 'v1.37.2', 'v1.37.10'], '1.37.2'],
  ['else the newest patch release', ['v1.37.0', 'v1.37.10', 'v1.37.9', 'v1.38.0'], '1.37.10'],
  ['no prerelease', ['v1.37.0-rc.1'], undefined],
  ['no other minor version', ['v1.36.1', 'v1.38.0', 'v2.37.2'], undefined],
];

for (const [what, versions, expected] of rows) {
  test(`the index gives ${what}`, () => {
    assert.equal(chooseArchive(index(...versions), 'linux', 'x64')?.version, expected);
  });
}

test('the archive is the one for the machine', () => {
  assert.deepEqual(chooseArchive(index('v1.37.2'), 'darwin', 'arm64'), {
    version: '1.37.2',
    url: 'https://x/v1.37.2/arm64',
    sha512: 'cd',
  });
  assert.equal(chooseArchive(index('v1.37.2'), 'linux', 'arm64'), undefined);
});

test('something else than an index is refused', () => {
  assert.throws(() => chooseArchive('<html>'), /no releases/);
});
