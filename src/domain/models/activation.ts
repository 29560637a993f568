/** The activation of a request. The message about an unknown name has the name that the service uses. */
import { z } from 'zod';
import { ACTIVATIONS, type Activation } from '../../numerics/network/activations.ts';
import { optionsMessage } from '../messages/issue-message.ts';

/** Without case, spaces, hyphens and underscores: PyTorch has LeakyReLU and leaky_relu. */
const plain = (name: string) => name.toLowerCase().replace(/[\s_-]/g, '');

/** Names of scikit-learn, Keras and papers, besides other spellings of the own names. */
const OTHER_NAMES: ReadonlyMap<string, Activation> = new Map([
  ...ACTIVATIONS.map((name) => [plain(name), name] as const),
  ['logistic', 'sigmoid'],
  ['swish', 'silu'],
  ['linear', 'identity'],
]);

export const activationSchema = z.enum(ACTIVATIONS, {
  error: ({ code, input }) => {
    if (code !== 'invalid_value') return undefined;
    const name = typeof input === 'string' ? OTHER_NAMES.get(plain(input)) : undefined;
    return (
      optionsMessage(ACTIVATIONS, input) + (name ? `, which is called ${JSON.stringify(name)} here` : '')
    );
  },
});
