import { execFile } from 'node:child_process';

/** What a program that ran to its end wrote to its standard output. Throws an error with all that it said if it failed. */
export const runTool = (command: string, args: string[], cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    // Else a test that starts another test's program would get its report in a form of Node's own.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    execFile(command, args, { cwd, env, maxBuffer: 16 << 20 }, (error, output, errors) => {
      if (error === null) resolve(output.trim());
      else reject(new Error(`${command} ${args.join(' ')} failed:\n${output}${errors}`, { cause: error }));
    });
  });
