/** /v1/training-jobs/{id}: checkpoints, the metrics of each epoch, and the path of the training. */
import { z } from 'zod';
import { sgdPathQuerySchema, sgdPathSchema } from '../../../domain/checks/sgd-path.ts';
import { checkpointSchema } from '../../../domain/jobs/checkpoint.ts';
import { epochRecordSchema } from '../../../domain/jobs/epoch-record.ts';
import { assertSucceeded } from '../../../services/inspection/sgd-paths.ts';
import { formatTag, sendPrepared } from '../../conditional/prepared.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { createEpochsRenderer, EPOCH_FORMATS, epochsTag } from '../../responses/epoch-records.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';

const tags = ['training'];
const params = z.strictObject({ id: z.string().describe('Id of the job, `job_…`') });

export const trainingResultRoutes: Routes = async (app, { training }) => {
  const renderEpochs = createEpochsRenderer(training);

  app.route({
    method: 'GET',
    url: '/training-jobs/:id/checkpoints',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listCheckpoints',
      summary: 'List the checkpoints of a training job, in order of step',
      description:
        'The best and the most recent ones are kept until success, then as `training.keepCheckpoints` states. A checkpoint can be used like a model: in ' +
        '`POST …/checkpoints/{step}/predictions`, and as `"job_…@step"` in `warmStart` and gradient checks.',
      tags,
      params,
      response: {
        200: z.object({ data: z.array(checkpointSchema) }).meta({ id: 'CheckpointList' }),
        ...problems(400, 404),
      },
    },
    handler: async (request) => ({ data: await training.checkpoints(request.params.id) }),
  });

  app.route({
    method: 'GET',
    url: '/training-jobs/:id/metrics',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'getTrainingMetrics',
      summary: 'Get the metrics of every completed epoch',
      description:
        'Loss and accuracy on the training and validation images, learning rate and time of each completed epoch; of a running job, those until ' +
        'now. Without pages: at most 10,000 records. `Accept: text/csv` returns a table with a header row.',
      tags,
      params,
      response: {
        200: {
          description: 'One record per epoch, ascending',
          content: {
            'application/json': {
              schema: z.object({ data: z.array(epochRecordSchema) }).meta({ id: 'EpochRecordList' }),
            },
            'text/csv': { schema: z.string() },
          },
        },
        ...problems(400, 404, 406),
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const format = EPOCH_FORMATS[negotiate(request, reply, ['application/json', 'text/csv'])];
      const tag = epochsTag(id, format, await training.lastEpoch(id));
      return sendPrepared(request, reply, tag, () => renderEpochs(id, format), format.type);
    },
  });
};

export const sgdPathRoutes: Routes = async (app, { training, sgdPaths }) => {
  app.route({
    method: 'GET',
    url: '/training-jobs/:id/path',
    config: { scope: 'predict', priority: 'low', sameOrigin: true },
    schema: {
      operationId: 'getTrainingPath',
      summary: 'Get the path of a training in the plane of its two principal components',
      description:
        'Trains the succeeded job again from its receipt, with the same bits, and takes snapshots on the way. Their two ' +
        'principal components span a plane, and the loss is measured on it. Takes about as long as the training, and a few ' +
        'seconds more; at most half a minute. The result is computed once and cached. A client that disconnects stops it.',
      tags,
      params,
      querystring: sgdPathQuerySchema,
      readsDataset: true,
      response: { 200: sgdPathSchema, ...problems(400, 404, 422, 503) },
    },
    async handler(request, reply) {
      const { params, query } = request;
      const job = await training.get(params.id);
      const tag = formatTag(job.id, assertSucceeded(job), JSON.stringify(query));
      return sendPrepared(request, reply, tag, async () => {
        const path = await sgdPaths.compute(job, query, disconnectSignal(reply));
        return { tag, bytes: Buffer.from(JSON.stringify(path)) };
      });
    },
  });
};
