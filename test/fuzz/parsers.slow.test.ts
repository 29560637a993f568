import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInput, type Parser } from '../../scripts/fuzz/input.ts';
import { createRandom } from '../../scripts/fuzz/mutations.ts';
import { all as parsers } from '../../scripts/fuzz/parsers.ts';
import { all as serviceParsers } from '../../scripts/fuzz/service.ts';
import { AtelierError } from '../../src/errors.ts';

const SEED = 20;
const INPUTS = 300;
/** Inputs per parser that is reached through the running service. */
const REQUESTS = 120;
/** Inputs for data set uploads, each of which starts a thread. */
const UPLOADS = 40;

/** Whether the input is accepted. Errors other than AtelierError are rethrown. */
async function isRead(parse: () => unknown): Promise<boolean> {
  try {
    await parse();
    return true;
  } catch (error) {
    if (error instanceof AtelierError) return false;
    throw error;
  }
}

async function readAll(parser: Parser, name: string, inputs: number): Promise<void> {
  for (const [index, file] of parser.files.entries()) {
    const parse = () => parser.parse(file.slice(), createRandom(`${index}`));
    await assert.doesNotReject(isRead(parse), `${name}, file ${index}`);
  }
  let read = 0;
  for (let index = 0; index < inputs; index++) {
    const { bytes, random } = createInput(parser, name, SEED, index);
    await assert.doesNotReject(async () => {
      if (await isRead(() => parser.parse(bytes, random))) read++;
    }, `npm run fuzz -- --only '${name}' --seed ${SEED} --input ${index}`);
  }
  assert.ok(read > 0 && read < inputs, `${read} of ${inputs} were read`);
}

for (const [name, make] of Object.entries(parsers)) {
  test(`changed files are read or rejected by name: ${name}`, async () => {
    const parser: Parser = await make();
    await parser.open?.();
    await readAll(parser, name, INPUTS);
    await parser.close?.();
  });
}

test('the running service responds to mutated requests with 2xx or 4xx', async () => {
  const opened: [string, Parser][] = [];
  for (const [name, make] of Object.entries(serviceParsers)) opened.push([name, await make()]);
  for (const [, parser] of opened) await parser.open?.();
  try {
    for (const [name, parser] of opened)
      await readAll(parser, name, name === 'forms of data sets' ? UPLOADS : REQUESTS);
  } finally {
    for (const [, parser] of opened) await parser.close?.();
  }
});

test('the same seed and number give the same input, others a different one', async () => {
  const parser = parsers.npy();
  const text = (seed: number, index: number) =>
    Buffer.from(createInput(parser, 'npy', seed, index).bytes).toString('latin1');
  assert.equal(text(1, 2), text(1, 2));
  const all = Array.from({ length: 100 }, (_, n) => [text(1, n), text(2, n)]).flat();
  assert.ok(new Set(all).size > 150);
});

test('mutations reach data behind a checksum', () => {
  const checkpoints = parsers.checkpoints();
  const messages = new Set<string>();
  for (let index = 0; index < 200; index++) {
    try {
      checkpoints.parse(createInput(checkpoints, 'checkpoints', SEED, index).bytes);
    } catch (error) {
      messages.add((error as Error).message);
    }
  }
  const all = [...messages].join('\n');
  for (const defect of [/checksum/, /header is not JSON/, /header has an invalid field/])
    assert.match(all, defect);
});
