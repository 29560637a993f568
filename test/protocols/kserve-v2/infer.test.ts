import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeInferRequest } from '../../../src/protocols/kserve-v2/infer-request.ts';
import { encodeInferResponse } from '../../../src/protocols/kserve-v2/infer-response.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const SHAPE = [8, 8] as const;
const zeros = new Array<number>(64).fill(0);
const input = { name: 'image', datatype: 'FP32', shape: [1, 8, 8], data: zeros };

function decode(request: object, binary: Uint8Array = Buffer.alloc(0), asImage = false) {
  const json = Buffer.from(JSON.stringify(request));
  const bytes = Buffer.concat([json, binary]);
  return decodeInferRequest({ bytes, jsonBytes: binary.length > 0 ? json.length : null, asImage }, SHAPE);
}
const outputs = (request: object, asImage = false) =>
  decode({ inputs: [input], ...request }, undefined, asImage).outputs.map(
    ({ name, binary, classification, contentType }) => [name, binary, classification, contentType],
  );

test('a request for no outputs gets all, or only the probabilities of an image classifier', () => {
  assert.deepEqual(outputs({}), [
    ['probabilities', false, 0, undefined],
    ['label', false, 0, undefined],
  ]);
  assert.deepEqual(outputs({ outputs: [], parameters: { binary_data_output: true } }, true), [
    ['probabilities', true, 0, undefined],
  ]);
  assert.deepEqual(
    outputs({ parameters: { coverage: 0.9 } }).map(([name]) => name),
    ['probabilities', 'label', 'prediction_set', 'unsure'],
  );
  assert.deepEqual(outputs({ parameters: { content_type: 'np' } }), [['probabilities', false, 0, 'np']]);
});

test('a request of one NumPy array under a name of its own gets one array', () => {
  const names = (name: string, content_type?: string) =>
    outputs({ inputs: [{ ...input, name, parameters: { content_type } }] });
  const all = [
    ['probabilities', false, 0, undefined],
    ['label', false, 0, undefined],
  ];
  assert.deepEqual(names('input-1', 'np'), [['probabilities', false, 0, 'np']]);
  assert.deepEqual(names('image', 'np'), all);
  assert.deepEqual(names('input-1'), all);
});

test('parameters of an output come before those of the request', () => {
  const requested = [
    { name: 'label', parameters: { binary_data: false, content_type: 'x' } },
    { name: 'probabilities', parameters: { classification: 2 } },
  ];
  assert.deepEqual(outputs({ outputs: requested, parameters: { binary_data_output: true } }), [
    ['label', false, 0, 'x'],
    ['probabilities', true, 2, undefined],
  ]);
});

const binary =
  (parameters: object, bytes = 256) =>
  () =>
    decode({ inputs: [{ ...input, data: undefined, parameters }] }, Buffer.alloc(bytes));
for (const [run, code, message] of [
  [
    () => outputs({ outputs: [{ name: 'x' }] }),
    'invalid-request',
    '#/outputs/0 is "x"; the model\'s outputs are probabilities and label and, with the parameter "coverage", prediction_set and unsure.',
  ],
  [
    () => outputs({ outputs: [{ name: 'label' }, { name: 'unsure' }] }),
    'invalid-request',
    '#/outputs/1 is "unsure", which needs the parameter "coverage" of the request.',
  ],
  [
    () => outputs({ outputs: [{ name: 'label' }, { name: 'label' }] }),
    'invalid-request',
    '#/outputs/1 requests label a second time.',
  ],
  [
    () => outputs({ outputs: [{ name: 'label', parameters: { classification: 1 } }] }),
    'invalid-request',
    '#/outputs/0 requests a classification of label; request it for probabilities.',
  ],
  [
    () => decode({ inputs: [input, { ...input, name: 'b' }] }),
    'invalid-request',
    '#/inputs are "image", "b"; the model has one input, "image".',
  ],
  [
    () => decode({ inputs: Array.from({ length: 9 }, (_, n) => ({ ...input, name: `${n}` })) }),
    'invalid-request',
    '#/inputs are "0", "1", "2", "3", "4", "5", "6", "7"; the model has one input, "image".',
  ],
  [() => decode({ inputs: [] }), 'invalid-request', '#/inputs are none; the model has one input, "image".'],
  [
    () => decode({ inputs: [{ ...input, datatype: 'BYTES' }] }),
    'invalid-request',
    '#/inputs/0/datatype is "BYTES"; allowed for image: UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64.',
  ],
  [
    () => decode({ inputs: [{ ...input, datatype: 'FP16' }] }),
    'invalid-request',
    '#/inputs/0/data cannot hold FP16; send it as a binary tensor.',
  ],
  [
    () => decode({ inputs: [{ ...input, shape: [2, 64] }] }),
    'invalid-request',
    '#/inputs/0/data has 64 elements; shape (2, 64) has 128.',
  ],
  [
    () => decode({ inputs: [{ ...input, datatype: 'UINT8', data: zeros.with(0, 0.5) }] }),
    'invalid-request',
    '#/inputs/0/data holds 0.5 at element 0; UINT8 in JSON must be a whole number below 2^53.',
  ],
  [
    () => decode({ inputs: [{ ...input, datatype: 'INT64', data: zeros.with(63, 2 ** 53) }] }),
    'invalid-request',
    '#/inputs/0/data holds 9007199254740992 at element 63; INT64 in JSON must be a whole number below 2^53.',
  ],
  [
    () => decode({ inputs: [input] }, Buffer.alloc(1)),
    'malformed-body',
    'The body is malformed: 1 bytes follow the JSON, but no input has a binary_data_size.',
  ],
  [
    () => decode({ inputs: [{ ...input, parameters: { binary_data_size: 256 } }] }, Buffer.alloc(256)),
    'invalid-request',
    '#/inputs/0 has data and a binary_data_size; send one of them.',
  ],
  [
    () => decode({ inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 0 } }] }),
    'malformed-body',
    'The body is malformed: binary tensors need the header Inference-Header-Content-Length.',
  ],
  [
    binary({ binary_data_size: 255 }),
    'malformed-body',
    'The body is malformed: binary_data_size is 255; FP32 of shape (1, 8, 8) takes 256 bytes, and 256 follow the JSON.',
  ],
  [
    binary({ binary_data_size: 256 }, 260),
    'malformed-body',
    'The body is malformed: binary_data_size is 256; FP32 of shape (1, 8, 8) takes 256 bytes, and 260 follow the JSON.',
  ],
  [
    () => decodeInferRequest({ bytes: Buffer.from('{}'), jsonBytes: 3, asImage: false }, SHAPE),
    'malformed-body',
    'The body is malformed: Inference-Header-Content-Length is 3, but the body has 2 bytes.',
  ],
  ...[0, 255, 300].map(
    (size) =>
      [
        () => decodeInferRequest({ bytes: Buffer.alloc(size), jsonBytes: 0, asImage: false }, SHAPE),
        'malformed-body',
        `The body is malformed: with Inference-Header-Content-Length: 0 it must be n × 64 FP32, 256 bytes per image, but it has ${size} bytes.`,
      ] as const,
  ),
] as const) {
  test(`rejects a request: ${message}`, () => {
    assert.throws(run, (error) => {
      assert.ok(isAtelierError(code)(error));
      assert.equal((error as Error).message, message);
      return true;
    });
  });
}

test('JSON holds fractions as FP32 and FP64, and whole numbers as every datatype', () => {
  for (const [datatype, pixel] of [
    ['FP32', 0.5],
    ['FP64', 1e300],
    ['UINT8', 255],
    ['INT64', 2 ** 53 - 1],
  ] as const) {
    const data = zeros.with(63, pixel);
    assert.deepEqual(
      decode({ inputs: [{ ...input, datatype, data }] }).input.values,
      Float64Array.from(data),
    );
  }
});

test('the header may state that the whole body is JSON, and the parameters a coverage', () => {
  const bytes = Buffer.from(JSON.stringify({ inputs: [input], parameters: { coverage: 0.9 } }));
  const request = decodeInferRequest({ bytes, jsonBytes: bytes.length, asImage: false }, SHAPE);
  assert.deepEqual([request.coverage, decode({ inputs: [input] }).coverage], [0.9, null]);
});

test('a body without JSON is one tensor, and gets all outputs in binary', () => {
  const bytes = new Uint8Array(Float32Array.from({ length: 128 }, (_, i) => i).buffer);
  const raw = decodeInferRequest({ bytes, jsonBytes: 0, asImage: false }, SHAPE);
  assert.deepEqual([raw.input.datatype, raw.input.shape, raw.input.values[127]], ['FP32', [2, 8, 8], 127]);
  assert.deepEqual(
    raw.outputs.map(({ name, binary }) => [name, binary]),
    [
      ['probabilities', true],
      ['label', true],
    ],
  );
  const image = decodeInferRequest({ bytes: bytes.subarray(0, 64), jsonBytes: 0, asImage: true }, SHAPE);
  assert.deepEqual(
    [image.input.datatype, image.input.shape, image.outputs.length],
    ['UINT8', [1, 1, 8, 8], 1],
  );
});

test('a binary tensor follows the JSON', () => {
  const values = Uint16Array.from({ length: 64 }, (_, i) => 256 * i);
  const one = { ...input, datatype: 'UINT16', data: undefined, parameters: { binary_data_size: 128 } };
  const { input: found } = decode({ id: 'a', inputs: [one] }, new Uint8Array(values.buffer));
  assert.deepEqual(found, { datatype: 'UINT16', shape: [1, 8, 8], values });
});

test('a response has each output in its form, binary ones after the JSON', () => {
  const requested = decode({
    ...{ id: '7', inputs: [input], parameters: { coverage: 0.9, content_type: 'c' } },
    outputs: [
      { name: 'label', parameters: { binary_data: true } },
      { name: 'probabilities', parameters: { classification: 9 } },
      { name: 'prediction_set', parameters: { binary_data: true, content_type: 'np' } },
      { name: 'unsure' },
    ],
  });
  const { body, jsonBytes } = encodeInferResponse(requested, { name: 'm', version: 3 }, ['a', 'b'], {
    probabilities: Float32Array.of(0.25, 0.75, 1, 0),
    logits: new Float32Array(4),
    judgements: { sets: Uint8Array.of(0, 1, 1, 1), reasons: [null, 'several-classes'], expectedUnsure: 0 },
  });
  const bytes = Buffer.from(body as Uint8Array);
  assert.deepEqual(JSON.parse(bytes.toString('utf8', 0, jsonBytes!)), {
    ...{ model_name: 'm', model_version: '3', id: '7', parameters: { content_type: 'c' } },
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [2], parameters: { binary_data_size: 16 } },
      {
        ...{ name: 'probabilities', datatype: 'BYTES', shape: [2, 2] },
        data: ['0.750000000:1:b', '0.250000000:0:a', '1.000000000:0:a', '0.000000000:1:b'],
      },
      {
        ...{ name: 'prediction_set', datatype: 'BOOL', shape: [2, 2] },
        parameters: { binary_data_size: 4, content_type: 'np' },
      },
      { name: 'unsure', datatype: 'BOOL', shape: [2], data: [false, true] },
    ],
  });
  const labels = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual([...bytes.subarray(jsonBytes!)], [...labels, 0, 1, 1, 1]);
});

const computed = { probabilities: Float32Array.of(0.25, 0.75), logits: new Float32Array(2) };
const encode = (request: object, asImage = false) =>
  encodeInferResponse(
    decode({ inputs: [input], ...request }, undefined, asImage),
    { name: 'm', version: 3 },
    ['a', 'bé'],
    computed,
  );

test('a response without binary outputs is JSON, and has the suffix of an image classifier', () => {
  const { body, jsonBytes } = encode({}, true);
  assert.equal(jsonBytes, null);
  assert.deepEqual(JSON.parse(body as string), {
    ...{ model_name: 'm:image', model_version: '3' },
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [0.25, 0.75] }],
  });
});

test('binary probabilities are float32, and binary classes texts after their length in bytes', () => {
  const tensor = (classification: number) => {
    const parameters = { binary_data: true, classification };
    const { body, jsonBytes } = encode({ outputs: [{ name: 'probabilities', parameters }] });
    const bytes = Buffer.from(body as Uint8Array);
    const [output] = JSON.parse(bytes.toString('utf8', 0, jsonBytes!)).outputs;
    return [output.datatype, output.shape, bytes.subarray(jsonBytes!)];
  };
  assert.deepEqual(tensor(0), ['FP32', [1, 2], Buffer.from(computed.probabilities.buffer)]);
  const text = Buffer.from('0.750000000:1:bé');
  assert.deepEqual(tensor(1), ['BYTES', [1, 1], Buffer.concat([Buffer.of(text.length, 0, 0, 0), text])]);
});

test('a raw tensor of bytes is read in place', () => {
  const bytes = Buffer.alloc(64, 7);
  const { input: found, outputs: requested } = decodeInferRequest(
    { bytes, jsonBytes: 0, asImage: true },
    SHAPE,
  );
  assert.equal(found.values, bytes);
  assert.deepEqual(
    requested.map(({ classification }) => classification),
    [0],
  );
});
