/** Style of a lab report as HTML, for screens, light and dark, and for paper. */
import { createHash } from 'node:crypto';
import { THEMES, type Theme } from '../../../charts/parts/theme.ts';

/** Colours of charts as CSS variables, so one drawing serves both themes. */
export const VARIABLES: Theme = {
  paper: 'var(--paper)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  series: THEMES.light.series.map((_, i) => `var(--series-${i})`),
  accent: 'var(--accent)',
  error: 'var(--error)',
  onArea: 'var(--on-area)',
};

function declare({ series, onArea, ...colours }: Theme): string {
  const single = Object.entries({ ...colours, 'on-area': onArea });
  const numbered = series.map((colour, i) => [`series-${i}`, colour] as const);
  return [...single, ...numbered].map(([name, colour]) => `--${name}:${colour}`).join(';');
}

export const STYLE = `
:root{${declare(THEMES.light)}}
@media screen and (prefers-color-scheme:dark){:root{${declare(THEMES.dark)}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 20px 48px;max-width:980px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"DejaVu Sans",Verdana,sans-serif}
h1{margin:0 0 4px;font-size:26px;line-height:1.25}
h2{margin:36px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--grid);font-size:20px}
h3{margin:20px 0 8px;font-size:15px}
p{margin:8px 0;overflow-wrap:anywhere}
#result>p{font-size:18px}
table{border-collapse:collapse;margin:12px 0;font-size:13px;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
th,td{padding:3px 12px 3px 0;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top;overflow-wrap:break-word}
td :is(code,a){overflow-wrap:anywhere}
th{color:var(--muted);font-weight:600;vertical-align:bottom}
.number{text-align:right}
code,pre{font:12px/1.45 ui-monospace,"DejaVu Sans Mono",Menlo,monospace}
pre{margin:8px 0;padding:10px 12px;border:1px solid var(--grid);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
.charts{display:flex;flex-wrap:wrap;gap:8px;margin:12px 0}
.charts svg{display:block;max-width:100%;height:auto}
.images{display:flex;flex-wrap:wrap;gap:12px 10px;margin:12px 0}
figure{margin:0;width:84px}
figure img{display:block;width:56px;height:56px;image-rendering:pixelated}
figcaption{margin-top:3px;color:var(--muted);font-size:11px;line-height:1.3;overflow-wrap:anywhere}
.wide figure{width:auto}
.wide img{width:auto;height:auto;max-width:100%;image-rendering:auto}
@page{size:A4;margin:14mm}
@media print{
body{max-width:none;padding:0;font-size:10pt}
h1{font-size:18pt}
h2{margin-top:18px;font-size:13pt;break-after:avoid}
h3{break-after:avoid}
#result>p{font-size:12pt}
table{font-size:8.5pt}
td,th{padding-top:1.5px;padding-bottom:1.5px}
tr,figure,svg,img{break-inside:avoid}
.images:not(.wide){gap:10px 8px}
.images:not(.wide) figure{width:60px}
figcaption{font-size:6.5pt}
pre,code{font-size:7.5pt}
.charts svg[width="460"]{width:49%}
.wide img{max-height:110mm}
}
`;

/** Nothing is loaded or run: the style of the page by its digest, and embedded images. */
export const REPORT_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
