/** PNG of a chart by resvg, with fonts of this project: the same bytes on every machine, whatever fonts it has. */
import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import { FONT_FAMILY } from './parts/text.ts';

const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
  fileURLToPath(new URL(`./fonts/${name}`, import.meta.url)),
);

/** @param density pixels of the PNG per pixel of the chart */
export function rasterizeSvg(svg: string, density: number): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: density },
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS,
      defaultFontFamily: FONT_FAMILY.split(',')[0]!,
    },
  });
  return image.render().asPng();
}
