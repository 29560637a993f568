/** Writes a lab report as HTML: one file that has no scripts and loads nothing. */
import { h, type VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { type Block, type Image, type Inline, isParts, NONE } from '../blocks.ts';
import type { IdentifiedSection, ReportInput } from './input.ts';
import { writeSections } from './sections.ts';
import { REPORT_POLICY, STYLE, VARIABLES } from './style.ts';

export function writeHtmlReport(input: ReportInput): string {
  const title = `Lab report: ${input.report.job.modelName}`;
  const body = h('body', {}, h('main', {}, h('h1', {}, title), writeSections(input).map(toSection)));
  return [
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${REPORT_POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    // An empty icon: browsers would request one from the service.
    '<link rel="icon" href="data:,">',
    renderToString(h('title', {}, title)),
    `<style>${STYLE}</style></head>`,
    renderToString(body),
    '</html>\n',
  ].join('');
}

function toSection({ id, title, blocks }: IdentifiedSection): VNode {
  const heading = title === null ? [] : [h('h2', {}, title)];
  return h('section', { id }, ...heading, ...blocks.map(toNode));
}

function toNode(block: Block): VNode {
  switch (block.kind) {
    case 'text':
      return h('p', {}, ...block.text.map(toInline));
    case 'quote':
      return h('blockquote', {}, block.text);
    case 'list':
      return h('ul', {}, ...block.items.map((item) => h('li', {}, item)));
    case 'heading':
      return h('h3', {}, block.title);
    case 'table':
      return toTable(block);
    case 'code':
      return h('pre', {}, h('code', {}, block.text));
    case 'charts':
      return h('div', { class: 'charts' }, ...block.charts.map(({ draw }) => draw(VARIABLES)));
    case 'images':
      return h('div', { class: block.isWide ? 'images wide' : 'images' }, ...block.images.map(toFigure));
  }
}

function toTable({ heading, rows }: Extract<Block, { kind: 'table' }>): VNode {
  const isNumber = heading.map((_, column) => rows.every((row) => isFigure(row[column]!)));
  const alignment = (column: number) => (isNumber[column] ? { class: 'number' } : {});
  const cells = (row: readonly Inline[]) =>
    row.map((cell, i) => h('td', isFigure(cell) || cell === NONE ? alignment(i) : {}, toInline(cell)));
  const head = h('tr', {}, ...heading.map((name, i) => h('th', { scope: 'col', ...alignment(i) }, name)));
  const body = rows.map((row) => h('tr', {}, ...cells(row)));
  // Wide tables scroll on small screens, by keyboard too, so that words are not broken.
  return h(
    'div',
    { class: 'scroll', role: 'group', 'aria-label': heading.join(', '), tabIndex: 0 },
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...body)),
  );
}

/** Numbers are rounded for people; `value` has all digits. */
function toInline(part: Inline): unknown {
  if (typeof part === 'string') return part;
  if (isParts(part)) return part.map(toInline);
  if ('strong' in part) return h('strong', {}, toInline(part.strong));
  if ('code' in part) return h('code', {}, part.code);
  return h('data', { value: String(part.value) }, part.shown);
}

const isFigure = (part: Inline): boolean => part === NONE || (typeof part === 'object' && 'value' in part);

function toFigure({ alt, caption, png }: Image): VNode {
  const picture = png === null ? [] : [h('img', { src: pngUrl(png), alt })];
  return h('figure', {}, ...picture, ...(caption === '' ? [] : [h('figcaption', {}, caption)]));
}

const pngUrl = (png: Buffer) => `data:image/png;base64,${png.toString('base64')}`;
