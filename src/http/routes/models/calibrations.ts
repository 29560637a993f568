/** /v1/models/{name}/versions/{version}/calibration: calibrate a version, and show its calibration. */
import { z } from 'zod';
import { calibrationRequestSchema, calibrationSchema } from '../../../domain/models/calibration.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

const url = '/models/:name/versions/:version/calibration';
const tags = ['models'];
const params = z.strictObject({ name: modelName, version: versionName });

export const calibrationRoutes: Routes = async (app, { calibrations }) => {
  app.route({
    method: 'POST',
    url,
    config: { scope: 'train' },
    schema: {
      operationId: 'calibrateModelVersion',
      summary: 'Calibrate a version on images that it was not trained on',
      description:
        'Responds when the calibration is stored, after some seconds. It takes the place of an earlier one; the parameters of the ' +
        'version stay as they are. Predictions then take `coverage` and `calibrated`. A version whose training held out validation ' +
        'images, or whose import measured test images, needs no request: it is calibrated on these soon after it is published, or when its calibration is first used.',
      tags,
      params,
      body: calibrationRequestSchema,
      readsDataset: true,
      response: { 200: calibrationSchema, ...problems(400, 404, 413, 415, 422, 503, 507) },
    },
    handler: (request, reply) =>
      calibrations.calibrate(request.params, request.body, disconnectSignal(reply), request.caller),
  });

  app.route({
    method: 'GET',
    url,
    config: { scope: 'predict', sameOrigin: true },
    schema: {
      operationId: 'getModelVersionCalibration',
      summary: 'Show the calibration of a version',
      description:
        'Computed now if the version has none and its training held out validation images; 409 if it did not.',
      tags,
      params,
      readsDataset: true,
      response: { 200: calibrationSchema, ...problems(400, 404, 409, 422, 503, 507) },
    },
    handler: ({ params: { name, version } }, reply) =>
      calibrations.get(name, version, disconnectSignal(reply)),
  });
};
