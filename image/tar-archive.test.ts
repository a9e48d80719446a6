import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { tarArchive } from './tar-archive.ts';

const text = (content: string): Buffer => Buffer.from(content);

test('tar reads what was written, with the folders in between', () => {
  const archive = tarArchive([
    { path: 'b/c/program', content: text('x'.repeat(513)), mode: 0o755 },
    { path: 'a', content: text('') },
    { path: 'tmp', mode: 0o1777 },
  ]);
  const list = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--utc', '--full-time'], {
    input: archive,
    encoding: 'utf8',
  });
  assert.deepEqual(list.trim().replaceAll(/ +/g, ' ').split('\n'), [
    '-rw-r--r-- 0/0 0 1970-01-01 00:00:00 a',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 b/',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 b/c/',
    '-rwxr-xr-x 0/0 513 1970-01-01 00:00:00 b/c/program',
    'drwxrwxrwt 0/0 0 1970-01-01 00:00:00 tmp/',
  ]);
  const program = execFileSync('tar', ['--extract', '--to-stdout', 'b/c/program'], { input: archive });
  assert.equal(program.toString(), 'x'.repeat(513));
});

test('the order of the entries makes no difference', () => {
  const [a, b] = [
    { path: 'f/a', content: text('1') },
    { path: 'f/b', content: text('2') },
  ];
  assert.deepEqual(tarArchive([a, b]), tarArchive([b, a]));
});

test('a path that the format cannot hold is refused', () => {
  assert.doesNotThrow(() => tarArchive([{ path: 'a'.repeat(100), content: text('') }]));
  assert.throws(() => tarArchive([{ path: 'a'.repeat(101), content: text('') }]), RangeError);
});
