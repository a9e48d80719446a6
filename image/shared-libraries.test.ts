import assert from 'node:assert/strict';
import { test } from 'node:test';
import { librariesIn } from './shared-libraries.ts';

test('libraries and the loader have paths, the library of the kernel has none', () => {
  const list = `
	linux-vdso.so.1 (0x00007f5670546000)
	libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f5670450000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f567001e000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f5670548000)
`;
  assert.deepEqual(librariesIn(list), [
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/libm.so.6',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});

test('a library that is not there is named', () => {
  const list = '\tlibatomic.so.1 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f567001e000)\n';
  assert.throws(() => librariesIn(list), /missing on this machine: libatomic\.so\.1$/);
});
