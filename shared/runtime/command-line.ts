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
      throw new UsageError(
        message.replace(/^Unknown arguments?: (.*)/, (_all, names: string) => unknown(names)),
      );
    });

/** yargs names an unknown flag with dashes twice: as it was given, and in camel case. */
function unknown(list: string): string {
  const names = list.split(', ');
  const twins = new Set(names.filter((name) => name.includes('-')).map(camelCase));
  return `unknown argument: ${names.filter((name) => !twins.has(name)).join(', ')}`;
}

const camelCase = (name: string): string =>
  name.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
