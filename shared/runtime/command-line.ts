import yargs, { type Argv } from 'yargs';
import { UsageError } from './usage-error.ts';

/**
 * A parser of command line arguments that knows every flag: an unknown one, or a value of the wrong kind, is thrown
 * as a UsageError that names it. Every flag can be given by an environment variable too: `<PREFIX>_LOG_LEVEL`.
 */
export const commandLine = (name: string, args: readonly string[], envPrefix: string): Argv =>
  yargs([...args])
    .scriptName(name)
    .env(envPrefix)
    // Given twice, the last one counts.
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .strict()
    .version(false)
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      if (error && !message) throw error;
      throw new UsageError(`${message}; see ${name} --help`);
    });
