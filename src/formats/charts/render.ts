/** Charts as text: SVG files that stand alone. */
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

export function renderSvg(chart: VNode): string {
  return renderToString(chart);
}
