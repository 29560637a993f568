/** /v1/models/{name}/versions/{version}/export: export a version as a file. */
import { z } from 'zod';
import type { Calibration } from '../../../domain/models/calibration.ts';
import { versionReferenceSchema } from '../../../domain/models/reference.ts';
import { type ModelVersion, modelVersionSchema } from '../../../domain/models/representation.ts';
import { flag } from '../../../domain/predictions/image-query.ts';
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

const ONNX_ONLY = 'applies to format=onnx only; leave it out';

const querystring = z
  .strictObject({
    format: z.enum(EXPORT_FORMATS).describe('File format; see docs/reference/model-files.md'),
    input: z
      .enum(ONNX_INPUTS)
      .optional()
      .describe('ONNX only: pixels 0–1 as float32 (default), or 0–255 as uint8, divided by 255 in the graph'),
    calibrated: flag.describe(
      'ONNX only: whether the graph divides the logits by the temperature of the calibration before the softmax. 409 without a calibration',
    ),
  })
  .refine(({ format, input }) => format === 'onnx' || input === undefined, {
    path: ['input'],
    message: ONNX_ONLY,
  })
  .refine(({ format, calibrated }) => format === 'onnx' || !calibrated, {
    path: ['calibrated'],
    message: ONNX_ONLY,
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

export const exportRoutes: Routes = async (app, { models, calibrations, exports }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/export',
    config: { scope: 'predict', sameOrigin: 'calibrated' },
    schema: {
      operationId: 'exportModelVersion',
      summary: 'Export a version as a file',
      description:
        'The file is read back and verified before it is sent: its parameters must have the digest of the version, and the ' +
        'graph of an ONNX file must do the same with them as the service. ' +
        'JSON is limited to 5,000,000 parameters. A download can be resumed by `Range`. The file of a version number never changes, ' +
        'except a calibrated one if the version is calibrated again.',
      tags: ['models'],
      params: z.strictObject({ name: modelName, version: versionName }),
      querystring,
      readsDataset: true,
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
        ...problems(400, 404, 409, 412, 416, 422, 500, 503, 507),
      },
      responseHeaders: {
        200: [...FILE_HEADERS, 'Accept-Ranges', 'Cache-Control'],
        206: [...FILE_HEADERS, 'Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { format, input = 'float', calibrated } = request.query;
      const version = await models.version(request.params.name, request.params.version);
      const calibration = calibrated
        ? await calibrations.get(version.name, version.version, disconnectSignal(reply))
        : null;
      const file = format === 'onnx' ? `${format}-${input}` : format;
      const tag = exportEtag(version, file, calibration);
      // A version can be calibrated again.
      const isImmutable = typeof request.params.version === 'number' && calibration === null;
      reply.header('cache-control', cacheControl(isImmutable));
      return sendRanged(request, reply, tag, async () => {
        const temperature = calibration?.temperature ?? null;
        const exported = await exports.export(version, format, input, temperature, disconnectSignal(reply));
        reply.type(TYPES[format]).headers({
          'content-disposition': `attachment; filename="${exportFileName(version, format)}"`,
          'x-model-digest': version.digest,
          // Parameters are compared, not predictions.
          'x-export-max-difference': 0,
          'x-export-checked-images': 0,
        });
        return exported;
      });
    },
  });
};

/** Version numbers are never reused, so the tag identifies one file. */
function exportEtag(
  { version, digest }: ModelVersion,
  file: string,
  calibration: Calibration | null,
): string {
  const parts = [version, shorten(digest), file];
  if (calibration !== null) parts.push(`calibrated-${shorten(calibration.digest)}`);
  return `"${parts.join('-')}"`;
}

const shorten = (digest: string) => digest.slice('sha256:'.length).slice(0, 32);
