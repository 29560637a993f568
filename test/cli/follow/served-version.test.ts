import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { describeServed } from '../../../cli/follow/served-version.ts';

const version = (digest: string | null, testAccuracy: number | null) => ({
  lineage: { dataset: digest === null ? null : { digest } },
  testAccuracy,
});

/** Describes version 2 of `pets`, whose responses are these. */
async function describe(responses: Readonly<Record<string, unknown>>): Promise<string | null> {
  const attempt = async (path: string) => {
    if (!(path in responses)) throw new Error(`No response for ${path}.`);
    return Response.json(responses[path]);
  };
  return describeServed({ attempt } as unknown as Client, { name: 'pets', version: 2 });
}

const PATH = '/v1/models/pets';
const model = { [PATH]: { aliases: { champion: 1 }, latest: { version: 2 } } };
const COMMAND = 'npx atelier promote pets@2';

test('names the version that is served', async () => {
  assert.equal(await describe({ [PATH]: { aliases: {}, latest: { version: 2 } } }), 'Version 2 is served.');
  assert.equal(await describe({}), null, 'the service does not respond');
});

test('compares with the served version, and advises against a worse one only', async () => {
  for (const [verdict, words, advice] of [
    ['better', 'is better', ` Serve it: ${COMMAND}`],
    ['worse', 'is worse', ''],
    ['no-difference', 'does not differ by more than chance', ` Serve it: ${COMMAND}`],
  ] as const) {
    const text = await describe({
      ...model,
      [`${PATH}/versions/2`]: version('d', 0.5),
      [`${PATH}/versions/1`]: version('d', 0.25),
      [`${PATH}/versions/2/comparison?with=pets%401`]: { verdict, accuracy: { model: 0.5, other: 0.25 } },
    });
    assert.equal(text, `Version 1 is served. Version 2 ${words}: 0.5000 against 0.2500.${advice}`);
  }
});

test('does not take another look at test images', async () => {
  for (const [own, other] of [
    [version('d', 0.5), version('e', 0.5)],
    [version(null, 0.5), version(null, 0.5)],
    [version('d', null), version('d', 0.5)],
    [version('d', 0.5), version('d', null)],
  ]) {
    const text = await describe({ ...model, [`${PATH}/versions/2`]: own, [`${PATH}/versions/1`]: other });
    assert.equal(text, `Version 1 is served. Serve version 2: ${COMMAND}`);
  }
});
