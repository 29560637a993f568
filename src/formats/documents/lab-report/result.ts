/** Head and end of a lab report: the result, looks at the test split, receipt. */

import { type Block, type Inline, properties, range, text, whole } from '../blocks.ts';
import { describeTestSet } from '../facts.ts';
import { showCommands } from './command.ts';
import type { ReportInput } from './input.ts';

export function resultBlocks({ report: { summary, job }, isStopped }: ReportInput): Block[] {
  const { model, finishedAt, progress } = job;
  const rows: (readonly [string, Inline] | null)[] = [
    ['training job', { code: job.id }],
    ['status', isStopped ? 'stopped' : job.status],
    job.error && ['error', job.error.message],
    model && ['version', { code: `${model.name}@${model.version}` }],
    ['created', job.createdAt],
    finishedAt === null ? null : ['ended', finishedAt],
    ['steps', whole(progress.step)],
    job.digest === null ? null : ['digest of the parameters', { code: job.digest }],
    ...Object.entries(job.metadata).map(([key, value]) => [key, value] as const),
  ];
  return [text(summary), properties(rows)];
}

export function testSetBlocks({ report: { testSet, evaluation, job } }: ReportInput): Block[] {
  if (testSet === null) return [];
  const { looks, chosenBy, interval, intervalOfBest } = testSet;
  const measured = evaluation?.accuracy ?? job.best?.testAccuracy ?? null;
  return [
    ...describeTestSet(testSet, measured).map((sentence) => text(sentence)),
    properties([
      ['looks until now', whole(looks.total)],
      ['before the version was published', whole(looks.before)],
      ['of its lineage', whole(looks.lineage)],
      ['chosen by', chosenBy],
      interval && ['95 % interval', range(interval)],
      intervalOfBest && ['interval for the best of all looks', range(intervalOfBest)],
    ]),
  ];
}

export function receiptBlocks({ report: { job, reproduce }, address }: ReportInput): Block[] {
  const { receipt } = job;
  const { repeat, verify } = reproduce;
  return [
    ...(receipt === null
      ? []
      : [
          properties([
            ['digest of the data set', { code: receipt.dataset.digest }],
            ['kernel', { code: receipt.kernel.name }],
            ['digest of the kernel', { code: receipt.kernel.digest }],
            ['multiply-adds', receipt.fused ? 'fused' : 'separate'],
            ['stopped at step', whole(receipt.stoppedAt.step)],
            ['because', receipt.stoppedAt.reason],
            ['mixed environments', receipt.mixed ? 'yes' : 'no'],
            receipt.digest === null ? null : ['digest of the parameters', { code: receipt.digest }],
          ]),
        ]),
    text(
      verify === null
        ? 'The command starts the same training:'
        : 'The first command starts the same training; the second repeats this one and compares the parameters bit for bit:',
    ),
    showCommands(address, verify === null ? [repeat] : [repeat, verify]),
  ];
}
