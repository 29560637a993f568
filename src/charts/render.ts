/** Charts as text: SVG files that stand alone. */
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

export function renderSvg(chart: VNode): string {
  // Preact does not escape `>`, but XML 1.0 does not allow this in text (section 2.4).
  return renderToString(chart).replaceAll(']]>', ']]&gt;');
}
