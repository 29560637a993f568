/** Layers on a command line: 40, 512-256, or (16)-(32 32)-128 with two stages of convolutions. */
import type { Architecture } from '../../src/numerics/network/architecture.ts';
import { dense } from '../../test/support/dense.ts';

/** @param inputs numbers of an image, which is a grey square if there are convolutions */
export function parseLayers(text: string, inputs: number, classes: number): Architecture {
  const layers = text.split('-');
  const convolutions = layers
    .filter((layer) => layer.startsWith('('))
    .map((stage) => stage.slice(1, -1).split(' ').map(Number));
  const hidden = layers.slice(convolutions.length).map(Number);
  return { ...dense([inputs, ...hidden, classes]), convolutions };
}
