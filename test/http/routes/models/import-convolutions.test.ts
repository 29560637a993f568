/** Networks with convolutions of PyTorch: imported, served, exported, drawn and described. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { EXPORT_FORMATS } from '../../../../src/formats/models/export-formats.ts';
import { convolutionFixtures, formatFixture } from '../../../formats/fixtures.ts';
import { assertProblem, startService } from '../../../support/start-service.ts';
import { importFile } from '../../import-file.ts';

const { app } = await startService({ after });
const file = (name: string) => formatFixture(`convolutions/${name}`);

for (const fixture of convolutionFixtures) {
  const { inputShape, convolutions, norm = 'none', activation, probabilities, given = {} } = fixture;
  test(`${fixture.file} is served with the predictions of PyTorch`, async () => {
    const { inputShape: shape, convolutions: stages, norm: groups } = given;
    const response = await importFile(app, file(fixture.file), {
      name: 'network',
      activation,
      ...(shape && { inputShape: JSON.stringify(shape) }),
      ...(stages && { convolutions: JSON.stringify(stages) }),
      ...(groups && { norm: groups }),
    });
    assert.equal(response.statusCode, 201, response.body);
    const version: ModelVersion = response.json();
    assert.deepEqual(
      [version.inputShape, version.convolutions, version.norm],
      [inputShape, convolutions, norm],
    );
    const predicted = await app.inject({
      method: 'POST',
      url: `/v1/models/network/versions/${version.version}/predictions`,
      headers: { 'content-type': 'application/x-npy', accept: 'application/x-npy' },
      payload: Buffer.from(file(`${inputShape.join('x')}.npy`)),
    });
    assert.equal(predicted.statusCode, 200, predicted.body);
    const found = parseNpy(new Uint8Array(predicted.rawPayload)).data as Float32Array;
    probabilities.flat().forEach((expected, i) => {
      assert.ok(Math.abs(found[i]! - expected) <= 2e-6, `${found[i]} at ${i}, not ${expected}`);
    });
  });
}

test('an export is imported again with its digest, from every format', async () => {
  const [{ latest }] = (await app.inject({ url: '/v1/models' })).json().data;
  const path = `/v1/models/network/versions/${latest.version}`;
  const { digest, convolutions, inputShape }: ModelVersion = (await app.inject({ url: path })).json();
  for (const format of EXPORT_FORMATS.filter((each) => each !== 'json')) {
    const exported = await app.inject({ url: `${path}/export?format=${format}` });
    assert.equal(exported.statusCode, 200, exported.body);
    const response = await importFile(app, new Uint8Array(exported.rawPayload), {
      name: 'again',
      ...(format.startsWith('np') && {
        inputShape: JSON.stringify(inputShape),
        convolutions: JSON.stringify(convolutions),
        hidden: '5',
      }),
    });
    assert.equal(response.statusCode, 201, response.body);
    assert.equal(response.json().digest, digest);
  }
});

test('layers are numbered from the first convolution to the classes', async () => {
  const draw = (query: string) => app.inject({ url: `/v1/models/again/versions/1/weights?${query}` });
  for (const query of ['layer=1', 'layer=2&unit=5', 'layer=3&unit=4', 'layer=4&unit=2'])
    assert.equal((await draw(query)).statusCode, 200, query);
  await assertProblem(await draw('layer=5'), 422, 'impossible-request');
  await assertProblem(await draw('layer=2&unit=6'), 422, 'impossible-request');
});

test('the card names the stages, and the array that the ONNX file takes', async () => {
  const card = await app.inject({
    url: '/v1/models/again/versions/1/card',
    headers: { accept: 'text/markdown' },
  });
  assert.match(card.body, /A convolutional network with 3×3 convolutions \(4\)-\(6\), 2×2 max pooling/);
  assert.match(card.body, /np\.zeros\(\(1, 1, 13, 11\), dtype=np\.uint8\)/);
});

test('the errors for missing fields name them', async () => {
  const refusal = async (
    name: string,
    fields: Record<string, string>,
    parameter: string,
    message: RegExp,
  ) => {
    const response = await importFile(app, file(name), { name: 'refused', ...fields });
    await assertProblem(response, 422, 'invalid-model-file');
    assert.match(response.json().detail, message);
    assert.equal(response.json().errors[0].pointer, `#/${parameter}`);
  };
  const colour = { inputShape: '[3, 32, 32]' };
  await refusal('torch.safetensors', {}, 'inputShape', /send the field inputShape/);
  await refusal(
    'torch-batch-norm.npz',
    { inputShape: '[20, 44]' },
    'convolutions',
    /send the field convolutions/,
  );
  await refusal('torch-group-norm.safetensors', colour, 'norm', /send the field norm=group/);
});
