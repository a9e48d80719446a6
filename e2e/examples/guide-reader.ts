import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GuideBlock, patched } from './guide.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface ReaderOptions {
  folder: string;
  kubeconfig: string;
  /** Of kubectl, and what else is used. */
  programFolders: readonly string[];
  /** More variables of the shell. */
  env?: Record<string, string> | undefined;
}

/** What the reader of a guide has and does, in an empty folder. */
export class GuideReader {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #shells: number[] = [];

  constructor({ folder, kubeconfig, programFolders, env: more }: ReaderOptions) {
    this.folder = folder;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.#env = {
      ...env,
      KUBECONFIG: kubeconfig,
      SHARDING: repository.replace(/\/$/, ''),
      PATH: [...programFolders, dirname(process.execPath), env['PATH']].join(':'),
      npm_config_prefer_offline: 'true',
      npm_config_fund: 'false',
      npm_config_audit: 'false',
      ...more,
    };
  }

  async follow({ language, file, code }: GuideBlock): Promise<void> {
    const path = file === undefined ? undefined : join(this.folder, file);
    if (language === 'sh') await this.run(code);
    else if (path === undefined) throw new Error(`a block of ${language} that is no file:\n${code}`);
    else if (language === 'diff') await writeFile(path, patched(await readFile(path, 'utf8'), code));
    else await writeFile(path, code);
  }

  /** Ends when the shell does; what it has started in the background goes on. */
  async run(script: string): Promise<void> {
    const log = await open(join(this.folder, 'log'), 'a');
    try {
      const shell = spawn('bash', ['-euc', script], {
        cwd: this.folder,
        env: this.#env,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      });
      if (shell.pid !== undefined) this.#shells.push(shell.pid);
      const [code] = await once(shell, 'exit');
      if (code !== 0) throw new Error(`this failed:\n${script}\n${await this.log()}`);
    } finally {
      await log.close();
    }
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  /** Ends what the shells have started. */
  end(): void {
    for (const group of this.#shells) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    }
  }
}
