/** `main.mjs PROGRAM [ARGUMENT…]`: what the image starts. */
import { isProgram, programs } from './programs.ts';

const [name = ''] = process.argv.splice(2, 1);
if (isProgram(name)) {
  await programs[name]();
} else {
  process.stderr.write(`unknown program "${name}": one of ${Object.keys(programs).join(', ')}\n`);
  process.exitCode = 2;
}
