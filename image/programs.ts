/** The programs of the image; each runs when it is imported, with the rest of the command line. */
export const programs = {
  sharder: () => import('@controller-sharding/sharder/cli/main.ts'),
  'checksum-operator': () => import('@controller-sharding/operator/checksum/main.ts'),
  'webhosting-operator': () => import('@controller-sharding/operator/webhosting/main.ts'),
  'webhosting-exporter': () => import('@controller-sharding/operator/exporter/main.ts'),
} as const;

export type ProgramName = keyof typeof programs;

export const isProgram = (name: string): name is ProgramName => Object.hasOwn(programs, name);
