/**
 * MLServer's codecs, with requests as they write them: NumpyRequestCodec.encode_request names its one input `input-1`,
 * and decode_response accepts one output only.
 * https://github.com/SeldonIO/MLServer/blob/master/mlserver/codecs/numpy.py and utils.py
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { predictOwn, startTrained } from './fixtures.ts';
import { assertError, inferJson } from './triton-client.ts';

const { app, images, expected } = await startTrained({ after });
const NP = { content_type: 'np' };
/** NumpyCodec.encode_input: data is flattened; unset fields are not sent. */
const array = { name: 'input-1', shape: [3, 784], datatype: 'UINT8', parameters: NP, data: images.flat() };
const probabilities = {
  name: 'probabilities',
  datatype: 'FP32',
  shape: [3, 10],
  parameters: NP,
  data: expected.flatMap((each) => each.probabilities),
};

test('NumpyRequestCodec: one array of any name gets one array that the codec can decode', async () => {
  const { outputs, ...rest } = (await inferJson(app, { inputs: [array] })).json();
  assert.deepEqual(rest, { model_name: 'fashion-mnist', model_version: '1' });
  assert.deepEqual(outputs, [probabilities]);
  // Clients that send unset fields, and the content type of the whole request, which is returned.
  const complete = {
    id: null,
    parameters: { ...NP, headers: null },
    inputs: [{ ...array, name: 'image', parameters: { ...NP, headers: null } }],
    outputs: null,
  };
  const response = (await inferJson(app, complete)).json();
  assert.deepEqual(response, { ...rest, parameters: NP, outputs: [probabilities] });
});

test('returns the content type of each requested output', async () => {
  const outputs = [{ name: 'label', parameters: { content_type: 'np' } }, { name: 'probabilities' }];
  const response = (await inferJson(app, { inputs: [array], outputs })).json();
  const { parameters, ...plain } = probabilities;
  const data = expected.map(({ label }) => label);
  assert.deepEqual(response.outputs, [
    { name: 'label', datatype: 'INT64', shape: [3], parameters, data },
    plain,
  ]);
});

test('one input may have any name, and several inputs are rejected', async () => {
  const { parameters, ...other } = { ...array, name: 'INPUT__0' };
  const response = (await inferJson(app, { inputs: [other] })).json();
  assert.deepEqual(
    response.outputs.map(({ name }: { name: string }) => name),
    ['probabilities', 'label'],
  );
  assertError(await inferJson(app, { inputs: [array, other] }), 400, /input-1.*INPUT__0.*one input, "image"/);
  assertError(await inferJson(app, { inputs: [] }), 400, /none; the model has one input/);
});

test('a large array of another name is computed by a thread', async () => {
  const count = 1000;
  const data = Array.from({ length: count }, (_, n) => images[n % 3]!);
  const inputs = [{ ...array, shape: [count, 784], data: data.flat() }];
  const { outputs } = (await inferJson(app, { inputs })).json();
  const own = await predictOwn(app, images);
  assert.deepEqual([outputs.length, outputs[0].shape, outputs[0].parameters], [1, [count, 10], NP]);
  assert.deepEqual(
    outputs[0].data.slice(0, 30),
    own.flatMap((each) => each.probabilities),
  );
});
