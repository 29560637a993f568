/** /v1/models: copy, annotate and delete versions, delete models. */
import { z } from 'zod';
import { nameSchema } from '../../../domain/models/reference.ts';
import {
  annotationsSchema,
  type ModelVersion,
  modelVersionSchema,
  versionCopySchema,
} from '../../../domain/models/representation.ts';
import { type Create, respondIdempotently } from '../../conditional/idempotency.ts';
import { preconditionHeaders, toPrecondition } from '../../conditional/preconditions.ts';
import { problems } from '../../errors/problem.ts';
import {
  createVersionSender,
  describeModelState,
  shownVersionSchema,
  toPublished,
} from '../../responses/shown-models.ts';
import type { Routes } from '../context.ts';
import { deleted, modelName, versionName } from './collection.ts';

const tags = ['models'];

export const modelChangeRoutes: Routes = async (app, { registry, testSets, idempotency }) => {
  const sendVersion = createVersionSender(testSets);

  app.route({
    method: 'POST',
    url: '/models/:name/versions',
    config: { scope: 'promote', idempotent: true },
    schema: {
      operationId: 'copyModelVersion',
      summary: 'Publish a copy of a version under this name',
      description:
        'For example a version of an experiment as the next one of the model that is served. Class names, standardization, accuracy, ' +
        'description, metadata, tags and lineage go along, and `lineage.copiedFrom` names the original; the parameters are stored once. ' +
        'The first version of a new name becomes its champion; otherwise, move the alias.',
      tags,
      params: z.strictObject({ name: nameSchema.describe('Name of the model; it may be new') }),
      body: versionCopySchema,
      response: {
        201: modelVersionSchema.describe('The copy'),
        ...problems(400, 404, 409, 413, 415, 422, 507),
      },
      responseHeaders: { 201: ['Location'] },
    },
    async handler(request, reply) {
      const copy: Create<ModelVersion> = (record) =>
        registry.copyVersion(request.params.name, request.body.from, record);
      return respondIdempotently(idempotency, request, reply, copy, toPublished);
    },
  });

  app.route({
    method: 'PATCH',
    url: '/models/:name/versions/:version',
    config: { scope: 'train' },
    schema: {
      operationId: 'annotateModelVersion',
      summary: 'Change the description, metadata or tags of a version',
      description: 'Each field that is sent replaces the stored one; all others stay unchanged.',
      tags,
      params: z.strictObject({ name: modelName, version: versionName }),
      headers: preconditionHeaders,
      body: annotationsSchema,
      response: { 200: shownVersionSchema, ...problems(400, 404, 412, 413, 415, 422, 507) },
      responseHeaders: { 200: ['ETag'] },
    },
    async handler(request, reply) {
      const { params, body } = request;
      const precondition = toPrecondition(request, describeModelState);
      const version = await registry.annotate(params.name, params.version, body, precondition);
      return sendVersion(reply, version);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/models/:name/versions/:version',
    config: { scope: 'admin' },
    schema: {
      operationId: 'deleteModelVersion',
      summary: 'Delete a version of a model',
      description:
        '409 while an alias points at it or an unfinished training job starts from it. Predictions in flight are completed. ' +
        'The number is never reused.',
      tags,
      params: z.strictObject({ name: modelName, version: versionName }),
      headers: preconditionHeaders,
      response: { ...deleted, ...problems(400, 404, 409, 412, 413, 415, 507) },
    },
    async handler(request, reply) {
      const { name, version } = request.params;
      await registry.removeVersion(name, version, toPrecondition(request, describeModelState));
      return reply.code(204).send(null);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/models/:name',
    config: { scope: 'admin' },
    schema: {
      operationId: 'deleteModel',
      summary: 'Delete a model with all its versions',
      description:
        '409 while it has an alias or an unfinished training job starts from one of its versions. A `champion` that no client moved does not count.',
      tags,
      params: z.strictObject({ name: modelName }),
      headers: preconditionHeaders,
      response: { ...deleted, ...problems(400, 404, 409, 412, 413, 415, 507) },
    },
    async handler(request, reply) {
      await registry.removeModel(request.params.name, toPrecondition(request, describeModelState));
      return reply.code(204).send(null);
    },
  });
};
