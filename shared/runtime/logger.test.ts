import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LoggerOptions } from './logger.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { logger: createLogger({ level: 'info', name: 'sharder', destination, ...options }), lines };
}

test('a log line is one JSON object with level, time, name and fields', () => {
  const { logger, lines } = capture();
  logger.info({ ring: 'example' }, 'moved');
  logger.debug('not at this level');
  assert.equal(lines.length, 1);
  const { time, ...entry } = JSON.parse(lines[0] ?? '');
  assert.deepEqual(entry, {
    level: 'info',
    name: 'sharder',
    pid: process.pid,
    ring: 'example',
    msg: 'moved',
  });
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('secrets are never written, wherever they are in what is logged', () => {
  const { logger, lines } = capture();
  const secret = { metadata: { name: 's' }, data: { key: 'c2VjcmV0' }, stringData: { key: 'secret' } };
  logger.info(secret, 'a secret itself');
  logger.info({ object: secret }, 'inside');
  logger.info({ event: { object: secret } }, 'deeper');
  logger.info({ token: 'secret', request: { headers: { authorization: 'Bearer secret' } } }, 'credentials');
  logger.child({ user: { 'client-key-data': 'c2VjcmV0' } }).info('in a child');
  const error = Object.assign(new Error('refused'), { request: { headers: 'secret' }, body: 'c2VjcmV0' });
  logger.error({ err: error }, 'failed');
  assert.equal(lines.length, 6);
  for (const line of lines) assert.doesNotMatch(line, /"[^"]*(?:c2VjcmV0|: ?secret|Bearer)/, line);
});

test('an error is told with what describes it, its causes included', () => {
  const { logger, lines } = capture();
  const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  logger.error({ err: Object.assign(new Error('no answer', { cause }), { status: 500, extra: 1 }) }, 'x');
  const { err } = JSON.parse(lines[0] ?? '');
  assert.deepEqual(Object.keys(err), ['type', 'message', 'status', 'stack', 'cause']);
  assert.equal(err.cause.code, 'ECONNRESET');
});

test('something thrown that is no error is told as text, and causes in a circle end', () => {
  const { logger, lines } = capture();
  logger.error({ err: 'just text' }, 'x');
  const error = new Error('round');
  error.cause = error;
  logger.error({ err: error }, 'x');
  assert.deepEqual(JSON.parse(lines[0] ?? '').err, { type: 'string', message: 'just text' });
  assert.equal(lines.length, 2);
});

test('the pretty format is a line for people, with the stack below', () => {
  const { logger, lines } = capture({ format: 'pretty' });
  logger.warn({ ring: 'example', count: 3, token: 'x' }, 'moved');
  logger.error({ err: new Error('broken') }, 'failed');
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}sharder: moved ring=example count=3 token=\[secret\]\n$/,
  );
  assert.match(lines[1] ?? '', /ERROR sharder: failed\n {4}Error: broken\n {8}at /);
});
