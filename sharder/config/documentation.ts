import { configFields } from './fields.ts';
import { configFlags } from './flags.ts';

/** The text of docs/configuration.md: what the schema says, for people. */
export function configurationPage(): string {
  const flagOf = new Map(Object.entries(configFlags).map(([flag, { path }]) => [path, flag]));
  const rows = configFields().map(({ path, kind, default: fallback, description }) => {
    const flag = flagOf.get(path);
    const cells = [
      `\`${path}\``,
      kind,
      fallback === undefined ? '' : `\`${fallback}\``,
      flag === undefined ? '' : `\`--${flag}\``,
      description,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Configuration of the sharder

<!-- Made from the schema by \`npm run docs\`. -->

\`sharder run --config FILE\` reads a file of this form; what it doesn't say has its default. Flags win over the file.

\`\`\`yaml
apiVersion: config.sharding.timebertt.dev/v1alpha1
kind: SharderConfig
controller:
  sharder:
    concurrentMoves: 200
\`\`\`

Durations are written as \`500ms\`, \`15s\`, \`1m30s\`; addresses as \`host:port\`, \`:port\` or \`"0"\` for off. An unknown field,
or a value of the wrong kind, ends the sharder with code 2 and a message that names the field and what is expected.

| field | kind | default | flag | |
|---|---|---|---|---|
${rows.join('\n')}

Only on the command line: \`--identity\`, the name of the replica in the leader election (default: host name and a random
part).
`;
}
