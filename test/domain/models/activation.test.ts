import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importRequestSchema } from '../../../src/domain/models/import.ts';

const messageFor = (activation: unknown) => {
  const { error } = importRequestSchema.safeParse({ name: 'x', activation });
  return error!.issues.map(({ message }) => message).join();
};

test('an activation by the name of another library is rejected with the name that is used here', () => {
  const names = {
    logistic: 'sigmoid',
    swish: 'silu',
    SiLU: 'silu',
    linear: 'identity',
    LeakyReLU: 'leaky-relu',
    leaky_relu: 'leaky-relu',
    'leaky relu': 'leaky-relu',
    Tanh: 'tanh',
  };
  for (const [other, own] of Object.entries(names))
    assert.equal(
      messageFor(other),
      'must be one of "relu", "leaky-relu", "tanh", "sigmoid", "identity", "silu", ' +
        `but is "${other}", which is called "${own}" here`,
    );
});

test('an unknown activation is rejected with the names that are allowed', () => {
  for (const unknown of ['gelu', '', 'constructor', 7])
    assert.match(messageFor(unknown), /^must be one of "relu", .*, but is [^,]*$/);
});
