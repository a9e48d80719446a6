/** A code block of a guide: ```` ```ts operator.ts ````, the language and, if it is a file, its name. */
export interface GuideBlock {
  language: string;
  file: string | undefined;
  code: string;
}

/** All code blocks, in their order. */
export const guideBlocks = (guide: string): GuideBlock[] =>
  [...guide.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language = '', file, code = '']) => ({
    language,
    file,
    code,
  }));

/** The text in which each removed line is replaced by the added one that follows it. Throws when there is none such. */
export function patched(text: string, diff: string): string {
  const removed = linesOf(diff, '-');
  if (!text.includes(removed)) throw new Error(`there is no such text:\n${removed}`);
  return text.replace(removed, linesOf(diff, '+'));
}

const linesOf = (diff: string, sign: string): string =>
  diff
    .split('\n')
    .filter((line) => line.startsWith(sign))
    .map((line) => line.slice(1))
    .join('\n');
