import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { fullyConnected, parameterCount } from '../../../src/numerics/network/architecture.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import type { Parameters } from '../../../src/numerics/network/layers.ts';
import { LOOP_STOP_REASONS } from '../../../src/numerics/training/stop-reason.ts';
import { decodeCheckpoint } from '../../../src/store/checkpoints/decode.ts';
import { encodeCheckpoint } from '../../../src/store/checkpoints/encode.ts';
import type { Checkpoint } from '../../../src/store/checkpoints/format.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const HEADER = 24;
const HASH = 32;

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
const whole = fc.maxSafeNat();
const real = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0));

/** Arbitrary checkpoints of networks with a few parameters. */
const checkpoints: fc.Arbitrary<Checkpoint> = record({
  inputShape: fc.constantFrom<ImageShape>([1, 3], [2, 1], [1, 1, 3]),
  units: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  isDouble: fc.boolean(),
  moments: fc.integer({ min: 0, max: 2 }),
}).chain(({ inputShape, units, isDouble, moments }) => {
  const architecture = fullyConnected(inputShape, units);
  const count = parameterCount(architecture);
  const length = { minLength: count, maxLength: count };
  const vector: fc.Arbitrary<Parameters> = isDouble ? fc.float64Array(length) : fc.float32Array(length);
  const engine = record({
    parameters: vector,
    moments: fc.array(vector, { minLength: moments, maxLength: moments }),
    average: fc.option(vector),
    steps: whole,
    gradientNorm: real,
  });
  const snapshot = record({
    engineName: fc.string({ unit: 'binary' }).filter((name) => name.isWellFormed()),
    engine,
    step: whole,
    examples: whole,
    loss: real,
    correct: whole,
    plateau: record({ factor: real, best: real, badEpochs: whole }),
    stopping: record({ level: real, badEpochs: whole, best: real, bestEpoch: fc.option(whole) }),
    best: fc.option(fc.float32Array(length)),
    end: fc.option(fc.constantFrom(...LOOP_STOP_REASONS)),
  });
  return record({
    snapshot,
    architecture: fc.constant(architecture),
    activation: fc.constantFrom(...ACTIVATIONS),
    standardization: fc.option(record({ mean: real, std: real })),
    fused: fc.boolean(),
    elapsedSeconds: real,
    epochTrainingMs: real,
    evaluationMs: real,
    images: whole,
    trainingMs: real,
  });
});

const checkpoint: Checkpoint = {
  snapshot: {
    engineName: 'simd-float32',
    engine: {
      parameters: Float32Array.of(0.5, -0, 1e-45, Number.NaN, Infinity, 6),
      moments: [Float32Array.of(1, 2, 3, 4, 5, 6)],
      average: Float32Array.of(7, 8, 9, 10, 11, 12),
      steps: 7,
      gradientNorm: Number.NaN,
    },
    step: 7,
    examples: 32,
    loss: 12.5,
    correct: 9,
    plateau: { factor: 1, best: Infinity, badEpochs: 0 },
    stopping: { level: -Infinity, badEpochs: 0, best: -0, bestEpoch: 1 },
    best: Float32Array.of(6, 5, 4, 3, 2, 1),
    end: null,
  },
  architecture: fullyConnected([1, 2], [2]),
  activation: 'relu',
  standardization: { mean: 0.2860405969887955, std: 0.35302424451492237 },
  fused: true,
  elapsedSeconds: 12.25,
  epochTrainingMs: 1,
  evaluationMs: 2,
  images: 3,
  trainingMs: 4,
};

/** The bytes with a correct checksum. */
function sealed(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(0, -HASH);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** The file with a changed header, and lengths, padding and checksum to match. */
function withHeader(change: (json: string) => string, written = encodeCheckpoint(checkpoint)): Uint8Array {
  const bytes = Buffer.from(written);
  const before = bytes.readUInt32LE(12);
  const header = Buffer.from(change(bytes.toString('utf8', HEADER, HEADER + before)), 'latin1');
  const padding = Buffer.alloc(-(HEADER + header.length) & 7);
  const data = bytes.subarray((HEADER + before + 7) & ~7);
  const changed = Buffer.concat([bytes.subarray(0, HEADER), header, padding, data]);
  changed.writeUInt32LE(header.length, 12);
  changed.writeBigUInt64LE(BigInt(changed.length), 16);
  return sealed(changed);
}

const withField = (change: (header: ReturnType<typeof JSON.parse>) => void) =>
  withHeader((json) => {
    const header = JSON.parse(json);
    change(header);
    return JSON.stringify(header);
  });

const refuse = (bytes: Uint8Array, message: RegExp) =>
  assert.throws(() => decodeCheckpoint(bytes), isAtelierError('checkpoint-damaged', message));

test('a checkpoint is restored bit for bit', () => {
  fc.assert(
    fc.property(checkpoints, (written) => {
      assert.deepEqual(decodeCheckpoint(encodeCheckpoint(written)), written);
    }),
  );
});

test('decoding copies from any offset of a buffer, and equal checkpoints have equal bytes', () => {
  const bytes = encodeCheckpoint(checkpoint);
  const inside = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
  const read = decodeCheckpoint(inside);
  inside.fill(0);
  assert.deepEqual(read, checkpoint);
  assert.deepEqual(encodeCheckpoint(read), bytes);
});

test('the file has the documented layout', () => {
  const bytes = Buffer.from(encodeCheckpoint(checkpoint));
  const headerLength = bytes.readUInt32LE(12);
  const dataOffset = Math.ceil((HEADER + headerLength) / 8) * 8;
  assert.equal(bytes.toString('hex', 0, 12), '8941544c520d0a1a01000000');
  assert.equal(bytes.readBigUInt64LE(16), BigInt(bytes.length));
  const header = JSON.parse(bytes.toString('utf8', HEADER, HEADER + headerLength));
  assert.equal(header.precision, 'float32');
  assert.deepEqual(header.lengths, { parameters: 6, moments: [6], average: 6, best: 6 });
  assert.equal(header.state.plateau.best, 'Infinity');
  assert.equal(bytes.readFloatLE(dataOffset), 0.5);
  assert.equal(bytes.readFloatLE(dataOffset + 24), 1);
  assert.equal(bytes.readFloatLE(dataOffset + 48), 7);
  assert.equal(bytes.readFloatLE(dataOffset + 72), 6);
  assert.equal(dataOffset + 96, bytes.length - HASH);
  const hash = createHash('sha256').update(bytes.subarray(0, -HASH)).digest();
  assert.deepEqual(bytes.subarray(-HASH), hash);
});

test('detects a change of any byte', () => {
  const bytes = encodeCheckpoint(checkpoint);
  for (let i = 0; i < bytes.length; i++) {
    for (const change of [0x01, 0x80, 0xff]) {
      bytes[i]! ^= change;
      refuse(bytes, /damaged/);
      bytes[i]! ^= change;
    }
  }
  assert.deepEqual(decodeCheckpoint(bytes), checkpoint);
});

test('detects every truncation and every extra byte', () => {
  const bytes = encodeCheckpoint(checkpoint);
  for (let length = 0; length < bytes.length; length++) {
    refuse(
      bytes.subarray(0, length),
      /it has only \d+ bytes; at least 56 are required|truncated to \d+ of \d+ bytes/,
    );
  }
  refuse(Buffer.concat([bytes, Buffer.alloc(3)]), /3 bytes follow its end/);
});

test('rejects arbitrary bytes with a named error', () => {
  const bytes = encodeCheckpoint(checkpoint);
  const mutations = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(mutations, fc.boolean(), (changes, isSealed) => {
      const mutated = bytes.slice();
      for (const [at, value] of changes) mutated[at] = value;
      try {
        decodeCheckpoint(isSealed ? sealed(mutated) : mutated);
      } catch (error) {
        isAtelierError('checkpoint-damaged')(error);
      }
    }),
    { numRuns: 2000 },
  );
});

test('the error names the defect', () => {
  const change = (at: number, value: number) => sealed(encodeCheckpoint(checkpoint).fill(value, at, at + 1));
  refuse(change(0, 0), /its first 8 bytes are not the signature of a checkpoint/);
  refuse(change(8, 2), /its version is 2; only 1 is supported/);
  refuse(encodeCheckpoint(checkpoint).fill(9, 70, 71), /its checksum does not match/);
  refuse(change(15, 0xff), /its header of 4278190\d+ bytes is longer than the file/);
});

test('rejects an invalid header with a valid checksum', () => {
  assert.deepEqual(decodeCheckpoint(withHeader((json) => `${json}   `)), checkpoint);
  refuse(
    withHeader((json) => json.slice(1)),
    /its header is not JSON/,
  );
  refuse(
    withHeader((json) => json.replace('simd', '\xff')),
    /its header is not JSON/,
  );
  refuse(
    withHeader(() => 'null'),
    /its header has an invalid field/,
  );
  refuse(
    withField((header) => {
      header.state.step = 1.5;
    }),
    /invalid field state\.step/,
  );
  refuse(
    withField((header) => {
      header.state.loss = 'much';
    }),
    /invalid field state\.loss/,
  );
  refuse(
    withField((header) => {
      header.layerSizes[1] = 0;
    }),
    /invalid field layerSizes\.1/,
  );
});

test('rejects mismatched lengths before anything is allocated', () => {
  refuse(
    withField((header) => {
      header.lengths.parameters = 2 ** 50;
    }),
    /a vector of a 2-2 network has 6 numbers, not 1125899906842624/,
  );
  refuse(
    withField((header) => {
      header.imageShape = [1, 2 ** 25];
      header.layerSizes = [2 ** 25, 2 ** 25];
      header.lengths = { parameters: 2 ** 25 * (2 ** 25 + 1), moments: [], average: null, best: null };
    }),
    /its vectors require a file of \d+ bytes, but it has \d+/,
  );
  for (const moments of [[], [6, 6]]) {
    refuse(
      withField((header) => {
        header.lengths.moments = moments;
      }),
      /its vectors require a file of \d+ bytes, but it has \d+/,
    );
  }
});

test('does not write inconsistent vectors', () => {
  const { snapshot } = checkpoint;
  const encode = (changes: Partial<typeof snapshot.engine>) =>
    encodeCheckpoint({
      ...checkpoint,
      snapshot: { ...snapshot, engine: { ...snapshot.engine, ...changes } },
    });
  assert.throws(() => encode({ parameters: new Float32Array(5) }), RangeError);
  assert.throws(() => encode({ moments: [new Float64Array(6)] }), /must have the same precision/);
  assert.throws(() => encode({ average: new Float64Array(6) }), /must have the same precision/);
  assert.throws(() => encode({ average: new Float32Array(5) }), RangeError);
});
