/** /v1/models/{name}/versions/{version}/export: export a version as a file. */
import { z } from 'zod';
import { versionReferenceSchema } from '../../../domain/models/reference.ts';
import { type ModelVersion, modelVersionSchema } from '../../../domain/models/representation.ts';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  exportFileName,
  ONNX_INPUTS,
} from '../../../formats/models/export-formats.ts';
import { NORMS } from '../../../numerics/network/architecture.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { rangeHeaders, sendRanged } from '../../conditional/ranges.ts';
import { problems } from '../../errors/problem.ts';
import { fileContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

const TYPES = {
  onnx: 'application/octet-stream',
  safetensors: 'application/octet-stream',
  npz: 'application/zip',
  npy: 'application/x-npy',
  json: 'application/json; charset=utf-8',
} as const satisfies Record<ExportFormat, string>;

const FILE_HEADERS = [
  'Content-Disposition',
  'X-Model-Digest',
  'X-Export-Max-Difference',
  'X-Export-Checked-Images',
] as const;

const querystring = z
  .strictObject({
    format: z.enum(EXPORT_FORMATS).describe('File format; see docs/reference/model-files.md'),
    input: z
      .enum(ONNX_INPUTS)
      .optional()
      .describe('ONNX only: pixels 0–1 as float32 (default), or 0–255 as uint8, divided by 255 in the graph'),
  })
  .refine(({ format, input }) => format === 'onnx' || input === undefined, {
    path: ['input'],
    message: 'applies to format=onnx only; leave it out',
  });

const { layerSizes, activation, standardization, classNames, preprocessing, digest } =
  modelVersionSchema.shape;
const kernels = z.array(z.array(z.number()));
export const exportedModelSchema = versionReferenceSchema
  .extend({
    layerSizes,
    convolutions: z
      .array(z.array(z.int()))
      .optional()
      .describe(
        'Channels of the convolutions of each stage; omitted, like `norm`, if all layers are fully connected',
      ),
    norm: z.enum(NORMS).optional(),
    activation,
    standardization,
    classNames,
    preprocessing,
    digest,
    parameters: z
      .record(z.string(), z.array(z.union([z.number(), z.array(z.union([z.number(), kernels]))])))
      .describe(
        '`W1`, units × inputs, `b1`, `W2`, …: the exact float32 numbers; before them, of convolutions, `K1`, outputs × inputs × 3 × 3, ' +
          '`c1`, with group normalization `gamma1` and `beta1`, `K2`, …',
      ),
  })
  .meta({ id: 'ExportedModel' });

export const exportRoutes: Routes = async (app, { models, exports }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/export',
    config: { scope: 'predict' },
    schema: {
      operationId: 'exportModelVersion',
      summary: 'Export a version as a file',
      description:
        'The file is read back and verified before it is sent: its parameters must have the digest of the version, and the ' +
        'graph of an ONNX file must do the same with them as the service. ' +
        'JSON is limited to 5,000,000 parameters. A download can be resumed by `Range`. The file of a version number never changes.',
      tags: ['models'],
      params: z.strictObject({ name: modelName, version: versionName }),
      querystring,
      headers: rangeHeaders,
      response: {
        200: {
          description: 'The file; its name is in Content-Disposition',
          content: {
            'application/octet-stream': fileContent,
            'application/zip': fileContent,
            'application/x-npy': fileContent,
            'application/json': { schema: exportedModelSchema },
          },
        },
        206: {
          description: 'The bytes that Range selects',
          content: {
            'application/octet-stream': fileContent,
            'application/zip': fileContent,
            'application/x-npy': fileContent,
            'application/json': fileContent,
          },
        },
        ...problems(400, 404, 412, 416, 422, 500, 503, 507),
      },
      responseHeaders: {
        200: [...FILE_HEADERS, 'Accept-Ranges', 'Cache-Control'],
        206: [...FILE_HEADERS, 'Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { format, input = 'float' } = request.query;
      const version = await models.version(request.params.name, request.params.version);
      const tag = exportEtag(version, format === 'onnx' ? `${format}-${input}` : format);
      reply.header('cache-control', cacheControl(typeof request.params.version === 'number'));
      return sendRanged(request, reply, tag, async () => {
        const file = await exports.export(version, format, input, disconnectSignal(reply));
        reply.type(TYPES[format]).headers({
          'content-disposition': `attachment; filename="${exportFileName(version, format)}"`,
          'x-model-digest': version.digest,
          // Parameters are compared, not predictions.
          'x-export-max-difference': 0,
          'x-export-checked-images': 0,
        });
        return file;
      });
    },
  });
};

/** Version numbers are never reused, so the tag identifies one file. */
function exportEtag({ version, digest }: ModelVersion, file: string): string {
  return `"${version}-${digest.slice('sha256:'.length).slice(0, 32)}-${file}"`;
}
