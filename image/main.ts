/** `main.mjs PROGRAM [ARGUMENT…]`: what the image starts. */
import { isProgram, programs } from './programs.ts';

// The first process of a container gets no signal that it doesn't listen for, and programs listen only once they are loaded.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(0);
  });
}

const [name = ''] = process.argv.splice(2, 1);
if (isProgram(name)) {
  await programs[name]();
} else {
  process.stderr.write(`unknown program "${name}": one of ${Object.keys(programs).join(', ')}\n`);
  process.exitCode = 2;
}
