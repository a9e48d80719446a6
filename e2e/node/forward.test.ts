import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { forward } from './forward.ts';

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forward-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

/** Answers when all was said: with what it heard. */
async function answering(t: TestContext, path: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}); // the other side may be gone by then
    void text(socket).then((heard) => socket.end(`heard ${heard}`));
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });

test('both directions are passed on, and one may end before the other', async (t) => {
  const dir = await folder(t);
  await answering(t, join(dir, 'to'));
  await using _ = await forward({ path: join(dir, 'from') }, { path: join(dir, 'to') });
  const socket = connect({ path: join(dir, 'from'), allowHalfOpen: true });
  socket.end('something');
  assert.equal(await text(socket), 'heard something');
});

test('a connection ends when nobody listens at the other side', async (t) => {
  const dir = await folder(t);
  await using _ = await forward({ path: join(dir, 'from') }, { path: join(dir, 'nobody') });
  await ended(connect(join(dir, 'from')));
});

test('its end ends the connections', async (t) => {
  const dir = await folder(t);
  await answering(t, join(dir, 'to'));
  const door = await forward({ path: join(dir, 'from') }, { path: join(dir, 'to') });
  const socket = connect(join(dir, 'from'));
  await new Promise((resolve) => socket.once('connect', resolve));
  const end = ended(socket);
  await door[Symbol.asyncDispose]();
  await end;
});
