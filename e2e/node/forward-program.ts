/** `forward-program.ts SOCKET HOST PORT`: what connects to the socket is connected to the port. */
import { rm } from 'node:fs/promises';
import { forward } from './forward.ts';

const [path = '', host = '', port = ''] = process.argv.slice(2);
await rm(path, { force: true }); // of one that has ended
await forward({ path }, { host, port: Number(port) });
