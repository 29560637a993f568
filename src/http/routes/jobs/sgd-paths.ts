/** /v1/training-jobs/{id}/path: the path of a training in the plane of its two principal components. */
import { z } from 'zod';
import { sgdPathQuerySchema, sgdPathSchema } from '../../../domain/checks/sgd-path.ts';
import { assertSucceeded } from '../../../services/inspection/sgd-paths.ts';
import { formatTag, sendPrepared } from '../../conditional/prepared.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import type { Routes } from '../context.ts';

export const sgdPathRoutes: Routes = async (app, { training, sgdPaths }) => {
  app.route({
    method: 'GET',
    url: '/training-jobs/:id/path',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'getTrainingPath',
      summary: 'Get the path of a training in the plane of its two principal components',
      description:
        'Trains the succeeded job again from its receipt, with the same bits, and takes snapshots on the way. Their two ' +
        'principal components span a plane, and the loss is measured on it. Takes about as long as the training, and a few ' +
        'seconds more; at most half a minute. The result is computed once and cached. A client that disconnects stops it.',
      tags: ['training'],
      params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
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
