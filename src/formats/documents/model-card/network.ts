/** The layers of a network as a phrase for the first sentence of its model card. */
import type { Activation } from '../../../numerics/network/activations.ts';
import { type Architecture, stageTexts } from '../../../numerics/network/architecture.ts';
import { whole } from '../blocks.ts';

/** "A fully connected network with hidden layers of 40 units (relu)" */
export function describeNetwork(
  { convolutions, norm, hidden }: Architecture,
  activation: Activation,
): string {
  const layers = `hidden layers of ${hidden.map((units) => whole(units).shown).join(', ')} units`;
  const hasHidden = hidden.length > 0;
  if (convolutions.length === 0)
    return hasHidden ? `A fully connected network with ${layers} (${activation})` : 'Softmax regression';
  const parts = [
    `3×3 convolutions ${stageTexts(convolutions).join('-')}`,
    '2×2 max pooling after each stage',
    ...(norm === 'group' ? ['group normalization'] : []),
    ...(hasHidden ? [layers] : []),
  ];
  return `A convolutional network with ${parts.slice(0, -1).join(', ')} and ${parts.at(-1)} (${activation})`;
}
