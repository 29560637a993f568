/**
 * Fastify + onnxruntime-node: raw bytes in, Atelier's answer out.
 * usage: onnx-fastify.ts MODEL CLASS_NAMES_JSON
 */
import Fastify from 'fastify';

/** The used part of the API of onnxruntime-node. Its own types exist only if it is installed. */
interface Tensor {
  readonly data: Float32Array;
}
interface Runtime {
  readonly InferenceSession: {
    create(
      file: string,
      options: object,
    ): Promise<{ run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> }>;
  };
  readonly Tensor: new (type: 'uint8', data: Uint8Array, shape: number[]) => Tensor;
}

// Not a literal: the package is only there where someone installed it.
const runtime: string = 'onnxruntime-node';
const { default: onnx } = (await import(runtime)) as { default: Runtime };
const [file, namesText] = process.argv.slice(2);
const names = JSON.parse(namesText!) as string[];
// One image is too little for more than one thread.
const session = await onnx.InferenceSession.create(file!, { intraOpNumThreads: 1 });

const app = Fastify();
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body);
});
app.post<{ Body: Buffer }>('/', async ({ body }) => {
  const rows = body.length / 784;
  const images = new onnx.Tensor('uint8', new Uint8Array(body), [rows, 784]);
  const { data } = (await session.run({ images }))['probabilities']!;
  const predictions = Array.from({ length: rows }, (_, n) => {
    const probabilities = Array.from(data.subarray(n * names.length, (n + 1) * names.length));
    const probability = Math.max(...probabilities);
    const label = probabilities.indexOf(probability);
    return { label, className: names[label], probability, probabilities };
  });
  return { model: { name: 'served', version: 1 }, predictions };
});
console.log(`Server listening at ${await app.listen({ port: 0 })}`);
