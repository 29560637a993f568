/** POST /v1/models: import a model file. */
import { z } from 'zod';
import { importRequestSchema } from '../../../domain/models/import.ts';
import { type ModelVersion, modelVersionSchema } from '../../../domain/models/representation.ts';
import { NPY_SIGNATURE } from '../../../formats/arrays/npy-header.ts';
import { sha256Hex } from '../../../store/blobs/content-addressed.ts';
import { formOfFile, readForm } from '../../bodies/form.ts';
import { requireForm } from '../../bodies/multipart.ts';
import { toMemory } from '../../bodies/receive-file.ts';
import { type Create, respondIdempotently } from '../../conditional/idempotency.ts';
import { problems } from '../../errors/problem.ts';
import { modelUploadContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { toPublished } from '../../responses/shown-models.ts';
import { parseBody } from '../../validation/zod-validator.ts';
import type { Routes } from '../context.ts';

const tags = ['models'];
const NPY = Buffer.from(NPY_SIGNATURE, 'latin1');

/** The fields are checked once it is known whether an empty one has a meaning. */
const FORM = {
  ...formOfFile('file', 'curl -F name=mine -F file=@model.npz', z.record(z.string(), z.string())),
  meaningfulEmpty: 'hidden',
};

export const modelImportRoutes: Routes = async (app, { imports, idempotency, maxBodyBytes }) => {
  requireForm(app);
  app.route({
    method: 'POST',
    url: '/models',
    config: { scope: 'train', idempotent: true },
    bodyLimit: maxBodyBytes,
    schema: {
      operationId: 'importModel',
      summary: 'Import a model file as the next version of a model',
      description:
        'An export of this service, a scikit-learn `MLPClassifier` (`coefs_0`, `intercepts_0`, …) or a PyTorch `state_dict` ' +
        '(`0.weight`, `0.bias`, …) in .npz or safetensors, an ONNX graph of fully connected layers or of 3×3 convolutions before them, or a packed vector in .npy; see docs/reference/model-files.md. ' +
        'Defaults fill in what neither the file nor the form states, and `lineage.import.assumed` lists them: the activation ' +
        'is relu, pixels are divided by 255 and not standardized, class names come from the data set, layers without biases have zero biases. The accuracy is ' +
        'measured on the test images of `dataset`; without it, nothing is measured. A body of at most ' +
        '`MAX_BODY_BYTES`, 64 MiB by default.',
      tags,
      requestContent: modelUploadContent,
      readsDataset: true,
      response: {
        201: modelVersionSchema.describe('The version'),
        ...problems(400, 409, 413, 415, 422, 503, 507),
      },
      responseHeaders: { 201: ['Location'] },
    },
    async handler(request, reply) {
      const { fields, files } = await readForm(request, FORM, maxBodyBytes, toMemory);
      const bytes = files[0]!;
      // A packed vector does not contain its layer sizes, so that an empty list means no hidden layers. Other files do.
      if (fields['hidden'] === '' && !bytes.subarray(0, NPY.length).equals(NPY)) delete fields['hidden'];
      const digest = await sha256Hex(bytes);
      const parsed = parseBody(importRequestSchema, fields);
      const create: Create<ModelVersion> = (record) =>
        imports.import({ bytes, digest }, parsed, disconnectSignal(reply), record, request.caller);
      const content = { ...fields, file: digest };
      return respondIdempotently(idempotency, request, reply, create, toPublished, content);
    },
  });
};
