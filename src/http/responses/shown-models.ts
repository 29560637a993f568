/** Models and versions as their routes show them, with the ETags of their states. */
import type { FastifyReply } from 'fastify';
import {
  type Model,
  type ModelVersion,
  modelSchema,
  modelVersionSchema,
} from '../../domain/models/representation.ts';
import { testSetSchema } from '../../domain/models/test-set.ts';
import {
  modelStatus,
  modelStatusFields,
  versionStatus,
  versionStatusFields,
} from '../../protocols/tensorflow/model-status.ts';
import type { TestSetService } from '../../services/models/test-sets.ts';
import { tagWith } from '../conditional/entity-tags.ts';
import { contentTag } from '../conditional/etag.ts';
import type { CurrentState } from '../conditional/preconditions.ts';

/** KServe v1 reads the readiness of a model at its path. */
export const withReadiness = (model: Model): Model => ({ ...model, ready: true });

/** A model as its own route shows it, with the status that clients of TensorFlow Serving read. */
export const shownModelSchema = modelSchema.extend(modelStatusFields).meta({ id: 'ShownModel' });
export const shownVersionSchema = modelVersionSchema
  .extend({ ...versionStatusFields, testSet: testSetSchema.nullable().describe('null without a data set') })
  .meta({ id: 'ShownModelVersion' });
export const showModel = (model: Model) => ({ ...withReadiness(model), ...modelStatus(model) });

/** Sends a version with its looks at the test split. */
export function createVersionSender(testSets: TestSetService) {
  return async function sendVersion(reply: FastifyReply, version: ModelVersion) {
    const testSet = await testSets.describe(version);
    const shown = { ...version, ...versionStatus(version.version), testSet };
    return reply.header('etag', tagWith(stateTag(version), testSet)).send(shown);
  };
}

/** The tag of a model or version depends on everything that its representation shows. */
const stateTag = (stored: Model | ModelVersion): string =>
  contentTag(JSON.stringify('versions' in stored ? showModel(stored) : stored));

export function describeModelState(stored: Model | ModelVersion): CurrentState {
  const description =
    'version' in stored
      ? `version ${stored.version} of model ${stored.name} has changed`
      : `the model ${stored.name} has changed; its newest version is ${stored.latest.version}`;
  return { tag: stateTag(stored), description };
}

/** The response to a request that has published a version. */
export const toPublished = (version: ModelVersion) => ({
  status: 201,
  location: `/v1/models/${version.name}/versions/${version.version}`,
  body: version,
});
