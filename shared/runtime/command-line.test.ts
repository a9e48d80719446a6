import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from './command-line.ts';
import { UsageError } from './usage-error.ts';

const parse = async (...args: string[]) =>
  commandLine('program', args)
    .options({ level: { choices: ['low', 'high'] as const }, 'a-flag': { type: 'string' } })
    .parseAsync();

for (const [args, message] of [
  [['--other-flag', 'x'], 'unknown argument: other-flag'],
  [['--otherFlag'], 'unknown argument: otherFlag'],
  [['word'], 'unknown argument: word'],
  [['--level', 'middle'], /Argument: level, Given: "middle", Choices: "low", "high"/],
] as const) {
  test(`wrong usage is told by its name: ${args.join(' ')}`, async () => {
    await assert.rejects(parse(...args), (error) => {
      assert.ok(error instanceof UsageError);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  });
}

test('of a flag given twice the last counts', async () => {
  assert.equal((await parse('--a-flag=1', '--a-flag=2')).aFlag, '2');
});
