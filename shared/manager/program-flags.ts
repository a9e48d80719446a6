interface FlagTypes {
  string: string;
  number: number;
  boolean: boolean;
}

/** A flag of a program's own, as in `--page-title TEXT`. */
export interface ProgramFlag {
  type: keyof FlagTypes;
  /** For `--help`. */
  describe: string;
  default?: string | number | boolean | undefined;
}

export type ProgramFlags = Record<string, ProgramFlag>;

/** What was given, else the default; undefined without one. */
export type FlagValues<Flags extends ProgramFlags> = {
  [Name in keyof Flags]:
    | FlagTypes[Flags[Name]['type']]
    | (Flags[Name] extends { default: FlagTypes[Flags[Name]['type']] } ? never : undefined);
};
