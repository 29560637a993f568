/** /v1/training-jobs/{id}: change the priority, delete, cancel, pause, resume. */
import { z } from 'zod';
import { jobChangesSchema } from '../../../domain/jobs/priority.ts';
import { trainingJobSchema } from '../../../domain/jobs/training.ts';
import { preconditionHeaders, toPrecondition } from '../../conditional/preconditions.ts';
import { problems } from '../../errors/problem.ts';
import { trackRequestId } from '../../hooks/lifecycle/request-context.ts';
import { describeState, stateTag } from '../../responses/stored-state.ts';
import type { Routes } from '../context.ts';
import { registerLifecycle } from '../lifecycle.ts';

const WHAT = 'training job';
const tags = ['training'];
const params = z.strictObject({ id: z.string().describe('Id of the job, `job_…`') });

const CHANGES = [
  {
    change: 'cancel',
    summary: 'Cancel a training job',
    description:
      'A queued or paused job is cancelled immediately, a running one within a batch; a check or an evaluation between batches ' +
      'may finish first, for at most five seconds. Metrics and checkpoints are kept. No model is published.',
  },
  {
    change: 'pause',
    summary: 'Pause a training job',
    description:
      'A queued job is paused immediately; a running one writes a checkpoint within a batch first. Its slot becomes free.',
  },
  {
    change: 'resume',
    summary: 'Resume a paused training job',
    description:
      'The job is queued again and continues from its last checkpoint. Its final parameters are the same as without the pause.',
    errors: [429],
  },
] as const;

export const trainingJobChangeRoutes: Routes = async (app, { training }) => {
  trackRequestId(app);

  app.route({
    method: 'PATCH',
    url: '/training-jobs/:id',
    config: { scope: 'train' },
    schema: {
      operationId: 'changeTrainingJob',
      summary: 'Change the priority of a training job',
      description:
        'Allowed until the job has ended. A queued job may then stop a running one of lower priority, and a running one may be stopped.',
      tags,
      params,
      headers: preconditionHeaders,
      body: jobChangesSchema,
      response: { 200: trainingJobSchema, ...problems(400, 404, 409, 412, 413, 415, 422, 507) },
      responseHeaders: { 200: ['ETag'] },
    },
    async handler(request, reply) {
      const precondition = toPrecondition(request, describeState(WHAT));
      const job = await training.change(request.params.id, request.body, precondition);
      return reply.header('etag', stateTag(job)).send(job);
    },
  });

  registerLifecycle(app, {
    url: '/training-jobs/:id',
    name: 'TrainingJob',
    what: WHAT,
    tags,
    params,
    schema: trainingJobSchema,
    changes: CHANGES,
    change: (id, change, precondition) => training[change](id, precondition),
    deletion: {
      summary: 'Delete an ended training job',
      description:
        'Deletes the job with its events, metrics and checkpoints. Versions that it published stay; their `lineage` keeps the id and the ' +
        'request of the job. 409 while the job has not ended, or an unfinished job starts from one of its checkpoints or verifies it.',
    },
    remove: (id, precondition) => training.remove(id, precondition),
  });
};
