/** /v1/models/…/export */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ModelVersion, modelVersionSchema } from '../../domain/model.ts';
import { versionReferenceSchema } from '../../domain/model-reference.ts';
import { EXPORT_FORMATS, type ExportFormat, exportFileName } from '../../formats/export-model.ts';
import { ONNX_INPUTS } from '../../formats/onnx-graph.ts';
import type { ExportService } from '../../services/exports.ts';
import type { ModelService } from '../../services/models.ts';
import { binaryContent } from '../bodies/binary-content.ts';
import { problems } from '../errors/problem.ts';
import { isFresh, registerEtag } from '../plugins/etag.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import { modelName, versionName } from './models.ts';

const TYPES = {
  onnx: 'application/octet-stream',
  safetensors: 'application/octet-stream',
  npz: 'application/zip',
  npy: 'application/x-npy',
  json: 'application/json; charset=utf-8',
} as const satisfies Record<ExportFormat, string>;

const querystring = z
  .strictObject({
    format: z.enum(EXPORT_FORMATS).describe('docs/reference/model-files.md says what each holds'),
    input: z
      .enum(ONNX_INPUTS)
      .optional()
      .describe(
        'Of ONNX alone: pixels 0–1 as float32, the default, or 0–255 as uint8, which the graph divides',
      ),
  })
  .refine(({ format, input }) => format === 'onnx' || input === undefined, {
    path: ['input'],
    message: 'is of format=onnx alone; leave it out',
  });

const { layerSizes, activation, standardization, classNames, digest } = modelVersionSchema.shape;
export const exportedModelSchema = versionReferenceSchema
  .extend({
    layerSizes,
    activation,
    standardization,
    classNames,
    digest,
    parameters: z
      .record(z.string(), z.array(z.union([z.number(), z.array(z.number())])))
      .describe('`W1`, units × inputs, `b1`, `W2`, …: the float32 numbers exactly'),
  })
  .meta({ id: 'ExportedModel' });

export const exportRoutes =
  (models: ModelService, exports: ExportService): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);

    app.route({
      method: 'GET',
      url: '/models/:name/versions/:version/export',
      config: { scope: 'predict' },
      schema: {
        operationId: 'exportModelVersion',
        summary: 'Take a version with you as a file',
        description:
          'Checked before it is sent: the file is read again, and its parameters have the digest of the version, or, with ONNX, ' +
          'it answers to up to 256 test images what the service answers. What ONNX was compared with is in the headers. JSON ' +
          'is written of at most 5,000,000 parameters.',
        tags: ['models'],
        params: z.strictObject({ name: modelName, version: versionName }),
        querystring,
        response: {
          200: {
            description: 'The file; its name is in Content-Disposition',
            content: {
              'application/octet-stream': binaryContent,
              'application/zip': binaryContent,
              'application/x-npy': binaryContent,
              'application/json': { schema: exportedModelSchema },
            },
          },
          ...problems(400, 404, 422, 500, 503),
        },
      },
      async handler(request, reply) {
        const { format, input = 'float' } = request.query;
        const version = await models.version(request.params.name, request.params.version);
        const tag = exportEtag(version, format === 'onnx' ? `${format}-${input}` : format);
        reply.header('etag', tag);
        // Nothing of a version changes that is in its file.
        if (isFresh(request, tag)) return notModified(reply);
        const file = await exports.export(version, format, input, disconnectSignal(reply));
        reply.headers({
          'content-disposition': `attachment; filename="${exportFileName(version, format)}"`,
          'x-model-digest': version.digest,
          'x-export-max-difference': file.maxDifference,
          'x-export-checked-images': file.checkedImages,
        });
        return reply.type(TYPES[format]).send(file.bytes);
      },
    });
  };

/** A number is never given to another version, so that this names one file. */
function exportEtag({ version, digest }: ModelVersion, file: string): string {
  return `"${version}-${digest.slice('sha256:'.length).slice(0, 32)}-${file}"`;
}

function notModified(reply: FastifyReply) {
  return reply.code(304).send();
}
