import type { ThemeSpec } from './resources.ts';

/** A Theme's values don't have the form that its definition asks for: they are put into no page. */
export class InvalidThemeError extends Error {
  override readonly name = 'InvalidThemeError';
  readonly code = 'INVALID_THEME';
}

/** What may stand in a declaration without ending it; the definition of Themes says more precisely what a colour is. */
const color = /^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30}|(rgb|hsl)a?\([0-9a-z.,%/ ]{1,60}\))$/;
const family = /^[\p{L}\p{N}][\p{L}\p{N}_ -]*$/u;
/** Keywords, which mean something else in quotes. */
const generic = new Set([
  'cursive',
  'fantasy',
  'inherit',
  'math',
  'monospace',
  'sans-serif',
  'serif',
  'system-ui',
  'ui-monospace',
  'ui-rounded',
  'ui-sans-serif',
  'ui-serif',
]);

/** The stylesheet of a Theme. Throws InvalidThemeError. */
export function stylesheet(theme: ThemeSpec): string {
  if (!color.test(theme.color)) throw new InvalidThemeError(`${JSON.stringify(theme.color)} is not a colour`);
  return `body { color: ${theme.color}; font-family: ${theme.fontFamily.split(',').map(fontFamily).join(', ')}; }`;
}

function fontFamily(given: string): string {
  const name = given.trim().replace(/^(["'])(.*)\1$/, '$2');
  if (!family.test(name)) throw new InvalidThemeError(`${JSON.stringify(given)} is not a font family`);
  if (generic.has(name.toLowerCase())) return name.toLowerCase();
  return `"${name.replace(/[^ -~]/gu, (letter) => `\\${letter.codePointAt(0)?.toString(16)} `)}"`;
}
