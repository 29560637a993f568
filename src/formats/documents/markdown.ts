/** Writes documents as Markdown: CommonMark with the tables of GitHub. */
import { THEMES } from '../../charts/parts/theme.ts';
import { renderSvg } from '../../charts/render.ts';
import { type Block, type Chart, type Image, type Inline, isParts, type Section } from './blocks.ts';

/** @param isEmbedded whether charts are in the text; otherwise they are links to the service */
export function writeMarkdown(title: string, sections: readonly Section[], isEmbedded = false): string {
  const parts = sections.flatMap((section) => [
    ...(section.title === null ? [] : [`## ${section.title}`]),
    ...section.blocks.map((block) => toText(block, isEmbedded)),
  ]);
  return `${[`# ${escapeText(title)}`, ...parts].join('\n\n')}\n`;
}

function toText(block: Block, isEmbedded: boolean): string {
  switch (block.kind) {
    case 'text':
      return toParagraph(block.text);
    case 'quote':
      return `> ${escapeText(block.text)}`;
    case 'list':
      return block.items.map((item) => `- ${escapeText(item)}`).join('\n');
    case 'heading':
      return `### ${escapeText(block.title)}`;
    case 'table':
      return [block.heading, block.heading.map(() => '---'), ...block.rows.map((row) => row.map(toCell))]
        .map((cells) => `| ${cells.join(' | ')} |`)
        .join('\n');
    case 'code':
      return `\`\`\`${block.language}\n${block.text}\n\`\`\``;
    case 'charts':
      return block.charts.map((chart) => picture(chart.title, chartUrl(chart, isEmbedded))).join('\n\n');
    case 'images':
      return block.images.map(toImage).join('\n');
  }
}

function toParagraph(parts: readonly Inline[]): string {
  const written = parts.map(toInline).join('').trim();
  return typeof parts[0] === 'string' ? escapeStart(written) : written;
}

const toCell = (part: Inline): string => toInline(part).trim();

function toInline(part: Inline): string {
  if (typeof part === 'string') return escapeInline(part);
  if (isParts(part)) return part.map(toInline).join('');
  if ('strong' in part) return `**${toInline(part.strong)}**`;
  return 'code' in part ? code(part.code) : part.shown;
}

/** A span of code; text with backquotes gets longer fences. */
function code(text: string): string {
  const line = toLine(text).replaceAll('|', '¦');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${line} ${fence}` : fence + line + fence;
}

/** Text without markup, HTML and line breaks. */
const escapeInline = (text: string): string => toLine(text).replaceAll(/[\\`*_[\]<>|~&$]/g, '\\$&');

/** Escapes what is markup at the start of a block only, such as `#` and `1.`. */
const escapeStart = (text: string): string => text.replace(/^(\d*)([-+#=.)])/, '$1\\$2');

const escapeText = (text: string): string => escapeStart(escapeInline(text).trim());

const toLine = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');

const chartUrl = ({ draw, url }: Chart, isEmbedded: boolean) =>
  isEmbedded ? dataUrl('image/svg+xml', Buffer.from(renderSvg(draw(THEMES.light)))) : url;

function toImage({ alt, caption, url, png }: Image): string {
  const image = picture(alt, png === null ? url : dataUrl('image/png', png));
  return caption === '' ? image : `- ${image} ${escapeText(caption)}`;
}

const picture = (alt: string, url: string) => `![${escapeText(alt)}](${url})`;

const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString('base64')}`;
