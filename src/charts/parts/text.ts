/** Text in charts: its width, cut and broken to fit. Computed, because the service has no browser to measure it. */
import type { VNode } from 'preact';
import { type Attributes, element } from './element.ts';

/** The first is the font of PNG; Verdana has the same proportions. */
export const FONT_FAMILY = 'DejaVu Sans, Verdana, sans-serif';
export const TEXT_SIZE = 11;

/** Advance widths of U+0020 to U+007E in DejaVu Sans, in hundredths of the font size. */
const ADVANCES = [
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34,
  34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73,
  68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63,
  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
];
/** Accented letters and signs, on average. */
const OTHER_ADVANCE = 68;
/** Characters that are as wide as they are high. */
const WIDE_ADVANCE = 100;
const WIDE = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]|[^\0-\uffff]/;
/** Width of DejaVu Sans Bold as a multiple of the regular one, at most for common texts. */
const BOLD = 1.16;

export interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
}

/** Width in pixels. */
export function textWidth(text: string, { size = TEXT_SIZE, bold = false }: TextStyle = {}): number {
  let hundredths = 0;
  for (const character of text) {
    hundredths +=
      ADVANCES[character.codePointAt(0)! - 32] ?? (WIDE.test(character) ? WIDE_ADVANCE : OTHER_ADVANCE);
  }
  return (hundredths / 100) * size * (bold ? BOLD : 1);
}

/** Cuts a text that is too wide, and ends it with an ellipsis. */
export function fitText(text: string, width: number, style: TextStyle = {}): string {
  if (textWidth(text, style) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, style) > width) characters.pop();
  return characters.length === 0 ? '' : `${characters.join('').trimEnd()}…`;
}

/** Breaks a text at spaces into lines of at most `width`; a longer word is cut. */
export function wrapText(text: string, width: number, style: TextStyle = {}): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(fitText(word, width, style));
  }
  return lines;
}

/** A text whose baseline starts at (x, y); other attributes as in SVG. */
export function text(x: number, y: number, content: string, attributes: Attributes): VNode {
  return element('text', { x, y, ...attributes }, content);
}
