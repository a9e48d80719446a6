import assert from 'node:assert/strict';
import { connect, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PortError, startService } from './service.ts';

/** A server that says its name to whoever connects. */
async function backend(t: TestContext, name: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, server };
}

const ask = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (data) => (text += String(data)))
      .on('error', reject)
      .on('close', () => resolve(text));
  });

test('connections go to the first backend that accepts them', async (t) => {
  const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
  const service = await startService(0, () => [a.port, b.port]);
  t.after(() => service.close());
  assert.equal(await ask(service.port), 'a');
  await new Promise((resolve) => a.server.close(resolve));
  assert.equal(await ask(service.port), 'b');
  await new Promise((resolve) => b.server.close(resolve));
  assert.equal(await ask(service.port), '');
});

test('a port that is in use is told in one line', async (t) => {
  const { port } = await backend(t, 'a');
  await assert.rejects(
    startService(port, () => []),
    (error) => {
      assert.ok(error instanceof PortError);
      assert.equal(
        error.message,
        `port ${port} on 127.0.0.1 is in use: choose another one with --webhook-port`,
      );
      return true;
    },
  );
});
