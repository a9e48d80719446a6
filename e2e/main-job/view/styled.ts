import { styleText } from 'node:util';

/** A piece of a line. All characters are one column wide. */
export interface Piece {
  text: string;
  style?: Style | undefined;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Line = readonly Piece[];

export interface Canvas {
  columns: number;
  rows: number;
  color: boolean;
}

/** The line's text, cut to the width. */
export function draw(line: Line, { columns, color }: Canvas): string {
  let left = columns;
  let text = '';
  for (const piece of line) {
    const part = piece.text.slice(0, left);
    left -= part.length;
    text += color && piece.style !== undefined ? paint(part, piece.style) : part;
  }
  return text;
}

const paint = (text: string, style: Style): string =>
  text === '' ? '' : styleText(style, text, { validateStream: false });

/** Exactly so wide: filled up, or cut with an ellipsis. */
export const fit = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);
