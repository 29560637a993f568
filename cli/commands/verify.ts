/** `atelier verify`: trains a job again from its receipt, and compares the parameters. */
import { randomUUID } from 'node:crypto';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { defineCommand } from '../command.ts';
import { followJob } from '../follow/job.ts';

const JOBS = '/v1/training-jobs';

export const verify = defineCommand({
  summary: 'Train a job again, and compare the parameters',
  parameters: ['id'],
  options: {},
  notes: 'The exit code is 0 if the parameters are the same, bit for bit, and 1 if they are not.',
  async run(context, [id]) {
    const { client, json, write, note } = context;
    const created = await client.json<TrainingJob>(`${JOBS}/${encodeURIComponent(id!)}/verify`, {
      method: 'POST',
      headers: { 'idempotency-key': randomUUID() },
    });
    if (!json) write(`${created.id}\n`);
    const exitCode = await followJob(context, created);
    if (exitCode !== 0) return exitCode;
    const { verification } = await client.json<TrainingJob>(`${JOBS}/${created.id}`);
    if (!verification?.agrees) {
      const kernel = verification?.sameKernel ? 'the same' : 'another one';
      note(`The parameters differ from those of ${id}. The kernel is ${kernel}.`);
      return 1;
    }
    if (!json) write(`The parameters are those of ${id}, bit for bit.\n`);
    return 0;
  },
});
