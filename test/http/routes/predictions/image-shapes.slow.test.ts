/** Predictions of the native protocol for images of several shapes. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { explanationSchema } from '../../../../src/domain/predictions/explanation.ts';
import type { PredictionJob } from '../../../../src/domain/predictions/job.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../../src/formats/arrays/npz.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import {
  arrayShapes,
  IMAGE_SHAPES,
  toFortranOrder,
  toPlanes,
  toRows,
} from '../../../support/shaped-images.ts';
import { assertProblem, startService } from '../../../support/start-service.ts';
import { PREDICTED, predictBytes, type ShapedModel, toPicture, trainShaped } from '../../shaped-models.ts';
import { encodeForm } from '../../upload.ts';

const { app } = await startService({ after }, { MAX_BODY_BYTES: String(2 ** 25) });
const models: ShapedModel[] = [];
for (const shape of IMAGE_SHAPES) models.push(await trainShaped(app, shape));
const [small, wide, , colour] = models as [ShapedModel, ShapedModel, ShapedModel, ShapedModel];

const JSON_TYPE = 'application/json';
const NPY = 'application/x-npy';

function send(name: string, type: string, body: Uint8Array | object, query = '') {
  return app.inject({
    method: 'POST',
    url: `/v1/models/${name}/predictions${query}`,
    headers: { 'content-type': type },
    payload: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  });
}

async function predict(...request: Parameters<typeof send>): Promise<Predictions['predictions']> {
  const response = await send(...request);
  assert.equal(response.statusCode, 200, response.body);
  return response.json<Predictions>().predictions;
}

/** .npy whose header says that its numbers are in Fortran order. */
function fortran(values: Uint8Array | Float32Array, shape: readonly number[]): Buffer {
  const file = Buffer.from(npyBytes(toFortranOrder(values, shape), shape));
  const at = file.indexOf("'fortran_order':");
  assert.ok(at > 0);
  file.write(
    file.toString('latin1', at).startsWith("'fortran_order': False")
      ? "'fortran_order': True, "
      : "'fortran_order':True, ",
    at,
    'latin1',
  );
  return file;
}

for (const model of models) {
  const { name, shape, values, pixels, images, pngs, expected } = model;
  const { last, first } = arrayShapes(shape, PREDICTED);
  const floats = Float32Array.from(pixels, (value) => value / 255);
  const flat = [PREDICTED, values];
  describe(`a model of images of ${shape.join('×')}`, () => {
    test('has its shape in its representation, in its data set and in its images', async () => {
      const version = (await app.inject(`/v1/models/${name}/versions/1`)).json();
      assert.deepEqual([version.inputShape, version.layerSizes[0]], [shape, values]);
      const dataset = (await app.inject(`/v1/datasets/${model.dataset}`)).json();
      assert.deepEqual([dataset.imageShape, dataset.report.imageShape], [shape, undefined]);
      const image = async (accept: string) =>
        app.inject({ url: `/v1/datasets/${model.dataset}/splits/test/images/0`, headers: { accept } });
      assert.deepEqual((await image(JSON_TYPE)).json().image, toRows(images[0]!, shape));
      const array = parseNpy((await image(NPY)).rawPayload);
      assert.deepEqual([array.shape, array.data], [shape, images[0]]);
      const { width, height, channels } = await sharp((await image('image/png')).rawPayload).metadata();
      assert.deepEqual([height, width, channels], [shape[0], shape[1], shape[2] ?? 1]);
    });

    const forms: [title: string, type: string, body: Uint8Array | object, query?: string][] = [
      ['flat JSON', JSON_TYPE, { images: images.map((image) => [...image]) }],
      ['nested JSON', JSON_TYPE, { images: images.map((image) => toRows(image, shape)) }],
      [
        'JSON of both',
        JSON_TYPE,
        { images: images.map((image, n) => (n === 1 ? [...image] : toRows(image, shape))) },
      ],
      [
        'JSON of fractions',
        JSON_TYPE,
        { images: images.map((image) => Array.from(image, (value) => value / 255)) },
        '?pixels=0-1',
      ],
      ['JSON of encoded images', JSON_TYPE, { images: pngs.map((png) => ({ b64: png.toString('base64') })) }],
      ['flat npy', NPY, npyBytes(pixels, flat)],
      ['flat npy of floats', NPY, npyBytes(floats, flat)],
      ['flat npy in Fortran order', NPY, fortran(pixels, flat)],
      ...[...last, ...first].flatMap((form): [string, string, Uint8Array][] => {
        const layout = <T extends Uint8Array | Float32Array>(all: T) =>
          first.includes(form) ? toPlanes(all, shape) : all;
        return [
          [`npy of (${form})`, NPY, npyBytes(layout(pixels), form)],
          [`npy of floats (${form})`, NPY, npyBytes(layout(floats), form)],
          [`npy in Fortran order (${form})`, NPY, fortran(layout(pixels), form)],
        ];
      }),
    ];
    for (const [title, type, body, query] of forms) {
      test(`gives the same probabilities, bit for bit, for ${title}`, async () => {
        assert.deepEqual(
          (await predict(name, type, body, query)).map(({ probabilities }) => probabilities),
          expected,
        );
      });
    }

    test('gives the same probabilities, bit for bit, for an original PNG, with and without fit', async () => {
      for (const [n, png] of pngs.entries()) {
        for (const query of ['', '?fit=contain', '?fit=cover', '?fit=stretch'])
          assert.deepEqual(
            (await predict(name, 'image/png', png, query))[0]!.probabilities,
            expected[n],
            query,
          );
      }
      const webp = await sharp(pngs[0]!).webp({ lossless: true }).toBuffer();
      assert.deepEqual((await predict(name, 'image/webp', webp))[0]!.probabilities, expected[0]);
    });

    test('accepts one image without a number of images, in every layout', async () => {
      const one = images[0]!;
      const single = [npyBytes(one, [values]), ...last.map((form) => npyBytes(one, form.slice(1)))];
      single.push(npyBytes(toPlanes(one, shape), first[0]!.slice(1)));
      for (const file of single)
        assert.deepEqual((await predict(name, NPY, file))[0]!.probabilities, expected[0]);
    });

    test('returns the pixels that it has seen with ?input=true', async () => {
      const inputs = await predict(name, NPY, npyBytes(toPlanes(pixels, shape), first[0]!), '?input=true');
      assert.deepEqual(
        inputs.map(({ input }) => input),
        images.map((image) => toRows(image, shape)),
      );
    });

    test('diagnoses an image that differs from those of the training', async () => {
      const [good, dim] = await predict(
        name,
        JSON_TYPE,
        { images: [[...images[0]!], Array.from(images[0]!, (value) => value / 255)] },
        '?diagnose=true&pixels=0-255',
      );
      assert.ok(
        good!.diagnosis && dim!.diagnosis!.findings.some(({ code }) => code === 'unscaled'),
        JSON.stringify(dim),
      );
    });

    test('resizes photos of any size to its shape', async () => {
      const photo = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#4080c0' } })
        .jpeg()
        .toBuffer();
      const [prediction] = await predict(name, 'image/jpeg', photo, '?fit=stretch&input=true');
      const numbers = prediction!.input!.flat(2);
      assert.equal(numbers.length, values);
      const wanted = shape.length === 3 ? [0x40, 0x80, 0xc0] : [0.299 * 0x40 + 0.587 * 0x80 + 0.114 * 0xc0];
      for (const [i, value] of numbers.entries())
        assert.ok(Math.abs(value - wanted[i % wanted.length]!) <= 3, `${value}`);
    });

    test('explains an image with a number per pixel, and draws it', async () => {
      const explain = (accept: string) =>
        app.inject({
          method: 'POST',
          url: `/v1/models/${name}/versions/1/explanations`,
          headers: { 'content-type': 'image/png', accept },
          payload: pngs[0]!,
        });
      const { occlusion, gradient } = explanationSchema.parse((await explain(JSON_TYPE)).json());
      for (const { map } of [occlusion, gradient]) {
        assert.deepEqual([map.length, ...new Set(map.map((row) => row.length))], [shape[0], shape[1]]);
        assert.ok(map.flat().some((value) => value !== 0));
      }
      const { width, height } = await sharp((await explain('image/png')).rawPayload).metadata();
      assert.ok(width > 3 * shape[1] && height > shape[0]);
    });

    test('predicts a long body while it arrives as it does a short one', async () => {
      const count = Math.ceil(2_000_000 / (PREDICTED * values));
      const many = Buffer.concat(new Array<Uint8Array>(count).fill(pixels));
      for (const [type, body] of [
        ['application/octet-stream', many],
        [NPY, npyBytes(many, [count * PREDICTED, ...shape])],
        [NPY, npyBytes(toPlanes(new Uint8Array(many), shape), [count * PREDICTED, ...first[0]!.slice(1)])],
      ] as const) {
        const predictions = await predict(name, type, body, '?topK=1');
        assert.equal(predictions.length, count * PREDICTED);
        for (const [n, { probability }] of predictions.entries())
          assert.equal(probability, Math.max(...expected[n % PREDICTED]!));
      }
    });

    test('predicts files of every layout in jobs', async () => {
      const response = await app.inject({
        method: 'POST',
        url: `/v1/models/${name}/predictions`,
        headers: { 'content-type': NPY, accept: NPY },
        payload: Buffer.from(npyBytes(pixels, flat)),
      });
      const rows = parseNpy(response.rawPayload);
      const files = [
        npyBytes(pixels, flat),
        ...last.map((form) => npyBytes(pixels, form)),
        npyBytes(toPlanes(floats, shape), first[0]!),
        fortran(toPlanes(pixels, shape), first[0]!),
        fortran(floats, last[0]!),
        npzBytes([{ name: 'images', shape: last[0]!, data: floats }]),
      ];
      for (const [n, file] of files.entries()) {
        const { payload, headers } = await encodeForm({ model: name, file });
        const queued = await app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload, headers });
        assert.equal(queued.statusCode, 202, queued.body);
        const url = `/v1/prediction-jobs/${queued.json().id}`;
        let job: PredictionJob = queued.json();
        for (; job.finishedAt === null; await wait(5)) job = (await app.inject(url)).json();
        assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
        const result = parseNpy(
          (await app.inject({ url: `${url}/result`, headers: { accept: NPY } })).rawPayload,
        );
        assert.deepEqual(result, rows, `file ${n}`);
      }
      const split = await app.inject({
        method: 'POST',
        url: '/v1/prediction-jobs',
        payload: { model: name, dataset: model.dataset, split: 'test' },
      });
      assert.equal(split.statusCode, 202, split.body);
    });
  });
}

test('rejects images of another shape with the shape received and those allowed', async () => {
  const cases: [
    model: ShapedModel,
    type: string,
    body: Uint8Array | object,
    message: RegExp,
    place?: string,
  ][] = [
    [small, NPY, npyBytes(new Uint8Array(784), [28, 28]), /\(28, 28\); allowed: .*\(n, 8, 8\)/],
    [small, NPY, npyBytes(new Uint8Array(192), [8, 8, 3]), /\(8, 8, 3\); allowed: .*\(n, 64\)/],
    [wide, NPY, npyBytes(wide.images[0]!, [44, 20]), /\(44, 20\); allowed: .*\(n, 20, 44\)/],
    [
      colour,
      NPY,
      npyBytes(new Uint8Array(1024), [32, 32]),
      /\(32, 32\); allowed: .*\(n, 3072\), \(n, 32, 32, 3\), \(n, 3, 32, 32\)/,
    ],
    [
      small,
      JSON_TYPE,
      { image: new Array(784).fill(0) },
      /784 numbers; an image must be an array of 64 numbers, or of 8 rows of 8/,
      '#/image',
    ],
    [
      wide,
      JSON_TYPE,
      { image: toRows(small.images[0]!, [8, 8]) },
      /8 numbers; a row must have 44/,
      '#/image/0',
    ],
    [
      colour,
      JSON_TYPE,
      { image: toRows(small.images[0]!, [8, 8]) },
      /is a number; a pixel must be an array of 3 numbers, since the model takes images of 32×32×3/,
      '#/image/0/0',
    ],
    [
      colour,
      JSON_TYPE,
      { image: toRows(new Uint8Array(192), [8, 8, 3]) },
      /8 pixels; a row must have 32/,
      '#/image/0',
    ],
    [
      small,
      'application/octet-stream',
      new Uint8Array(65),
      /65 bytes .* Send 64 bytes per image: one per pixel/,
    ],
    [
      colour,
      'application/octet-stream',
      new Uint8Array(3073),
      /Send 3072 bytes per image: red, green and blue of each pixel/,
    ],
    [small, 'image/png', wide.pngs[0]!, /44×20 pixels, but must have 8×8/],
    [colour, 'image/png', wide.pngs[0]!, /44×20 pixels, but must have 32×32/],
  ];
  for (const [{ name }, type, body, message, place] of cases) {
    const response = await send(name, type, body);
    const problem = assertProblem(response, 422, 'invalid-image-size', place);
    assert.match(problem.detail, message);
  }
});

test('a prediction job rejects a file of another shape', async () => {
  const file = npyBytes(new Uint8Array(2 * 784), [2, 28, 28]);
  const { payload, headers } = await encodeForm({ model: colour.name, file });
  const response = await app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload, headers });
  const { detail } = assertProblem(response, 422, 'invalid-image-size');
  assert.match(detail, /\(2, 28, 28\); allowed: .*\(n, 32, 32, 3\)/);
});

test('a grey image repeats its channel for a colour model, and colour becomes luminance for a grey one', async () => {
  const grey = Uint8Array.from({ length: 1024 }, (_, i) => (i * 37) % 251);
  const [repeated] = await predict(colour.name, 'image/png', await toPicture(grey, [32, 32]), '?input=true');
  assert.deepEqual(
    repeated!.input!.flat(2),
    Array.from(grey).flatMap((value) => [value, value, value]),
  );
  const rgb = Uint8Array.from({ length: 192 }, (_, i) => (i * 53) % 256);
  const [luma] = await predict(small.name, 'image/png', await toPicture(rgb, [8, 8, 3]), '?input=true');
  const wanted = Array.from(
    { length: 64 },
    (_, i) => 0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!,
  );
  for (const [i, value] of (luma!.input!.flat(2) as number[]).entries())
    assert.ok(Math.abs(value - wanted[i]!) <= 0.51);
});

test('transparent pixels become black in every channel', async () => {
  const rgba = await sharp({
    create: { width: 32, height: 32, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const [seen] = await predict(colour.name, 'image/png', rgba, '?input=true');
  const [pixel] = seen!.input![0] as number[][];
  for (const [c, value] of [200, 100, 50].entries())
    assert.ok(Math.abs(pixel![c]! - value / 2) <= 1, `${pixel}`);
});

test('a whole data set predicted again gives the predictions of its test split', async () => {
  for (const { name, pixels } of models) {
    const twice = Buffer.concat([pixels, pixels]);
    const { predictions } = (await predictBytes(app, name, twice)).json<Predictions>();
    assert.deepEqual(predictions.slice(0, PREDICTED), predictions.slice(PREDICTED));
  }
});
