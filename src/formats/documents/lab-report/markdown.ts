/** Writes a lab report as Markdown. Pictures are links to the service, or embedded. */

import { THEMES } from '../../../charts/parts/theme.ts';
import { renderSvg } from '../../../charts/render.ts';
import { code, codeBlock, escapeText, table } from '../model-card/markdown.ts';
import {
  type Block,
  type Chart,
  type Image,
  type Inline,
  isParts,
  type ReportInput,
  type Section,
} from './document.ts';
import { writeSections } from './sections.ts';

export function writeMarkdownReport(input: ReportInput): string {
  const isEmbedded = input.pictures !== null;
  const sections = writeSections(input).map((section) => toText(section, isEmbedded));
  return `# Lab report: ${escapeText(input.report.job.modelName)}\n\n${sections.join('\n\n')}\n`;
}

function toText({ id, title, blocks }: Section, isEmbedded: boolean): string {
  const heading = id === 'result' ? [] : [`## ${title}`];
  return [...heading, ...blocks.map((block) => toBlock(block, isEmbedded))].join('\n\n');
}

function toBlock(block: Block, isEmbedded: boolean): string {
  switch (block.kind) {
    case 'text':
      return block.text.map(toInline).join('');
    case 'list':
      return block.items.map((item) => `- ${escapeText(item)}`).join('\n');
    case 'heading':
      return `### ${escapeText(block.title)}`;
    case 'table':
      return table(
        block.heading,
        block.rows.map((row) => row.map(toInline)),
      );
    case 'code':
      return codeBlock(block.language, block.text);
    case 'charts':
      return block.charts.map((chart) => picture(chart.title, chartUrl(chart, isEmbedded))).join('\n\n');
    case 'images':
      return block.images.map(toImage).join('\n');
  }
}

function toInline(part: Inline): string {
  if (typeof part === 'string') return escapePart(part);
  if (isParts(part)) return part.map(toInline).join('');
  return 'code' in part ? code(part.code) : part.shown;
}

/** Spaces at the ends separate text from the next part. */
const escapePart = (text: string) => text.replace(/\S(?:.*\S)?/s, escapeText);

const chartUrl = ({ draw, url }: Chart, isEmbedded: boolean) =>
  isEmbedded ? dataUrl('image/svg+xml', Buffer.from(renderSvg(draw(THEMES.light)))) : url;

function toImage({ alt, caption, url, png }: Image): string {
  const image = picture(alt, png === null ? url : dataUrl('image/png', png));
  return caption === '' ? image : `- ${image} ${escapeText(caption)}`;
}

const picture = (alt: string, url: string) => `![${escapeText(alt)}](${url})`;

const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString('base64')}`;
