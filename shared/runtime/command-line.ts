import yargs, { type Argv } from 'yargs';
import { UsageError } from './usage-error.ts';

/**
 * A parser of command line arguments that knows every flag: an unknown one, or a value of the wrong kind, is thrown
 * as a UsageError that names it. Of a flag given twice the last counts.
 */
export const commandLine = (name: string, args: readonly string[]): Argv =>
  yargs([...args])
    .scriptName(name)
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .strict()
    .version(false)
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      if (error && !message) throw error;
      throw new UsageError(message);
    });
