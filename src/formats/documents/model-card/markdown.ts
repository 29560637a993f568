/** Parts of Markdown documents, as in CommonMark with the tables of GitHub. */

/** Text as it is, for a paragraph, an item or a cell: without markup, HTML and line breaks. */
export function escapeText(text: string): string {
  return toLine(text)
    .trim()
    .replaceAll(/[\\`*_[\]<>|~&$]/g, '\\$&')
    .replace(/^(\d*)([-+#=.)])/, '$1\\$2');
}

/** A span of code; names with backquotes get longer fences. */
export function code(text: string): string {
  const line = toLine(text).replaceAll('|', '¦');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${line} ${fence}` : fence + line + fence;
}

/** @param text without lines of backquotes only */
export function codeBlock(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** @param rows cells that are escaped already */
export function table(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Four digits; the head of the card and its JSON have all. */
export const figure = (value: number | null) => value?.toFixed(4) ?? '–';

export const count = (value: number) => value.toLocaleString('en');

const toLine = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');
