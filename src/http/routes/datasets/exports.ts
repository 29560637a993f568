/** /v1/datasets/{id}/export: the images and labels of a data set as an npz file. */
import { z } from 'zod';
import { streamNpz } from '../../../formats/arrays/npz-stream.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { contentTag } from '../../conditional/etag.ts';
import { rangeHeaders, sendRanged } from '../../conditional/ranges.ts';
import { problems } from '../../errors/problem.ts';
import { onceClosed } from '../../hooks/connections/client.ts';
import { fileContent } from '../../openapi/request-content.ts';
import type { Routes } from '../context.ts';
import { datasetId, orNotFound } from './collection.ts';

export const datasetExportRoutes: Routes = async (app, { catalog, memory }) => {
  app.route({
    method: 'GET',
    url: '/datasets/:id/export',
    config: { scope: 'predict' },
    schema: {
      operationId: 'exportDataset',
      summary: 'Export a data set as an npz file',
      description:
        '`x_train`, `y_train`, `x_test` and `y_test`, with a validation split `x_val` and `y_val`, as `np.load` reads them: images of shape (n, height, width), in colour (n, height, width, 3), and labels of shape (n,), ' +
        'one byte per value and label, two per label with more than 256 classes. Uploaded again, the file has the same digest, and with the same `classNames` ' +
        'the same id if the images were sent as arrays. A download can be resumed by `Range`.',
      tags: ['datasets'],
      readsDataset: true,
      params: z.strictObject({ id: datasetId }),
      headers: rangeHeaders,
      response: {
        200: {
          description: 'The file; its name is in Content-Disposition',
          content: { 'application/zip': fileContent },
        },
        206: { description: 'The bytes that Range selects', content: { 'application/zip': fileContent } },
        ...problems(400, 404, 412, 416, 422),
      },
      responseHeaders: {
        200: ['Content-Disposition', 'Accept-Ranges', 'Cache-Control'],
        206: ['Content-Disposition', 'Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const { digest } = orNotFound(await catalog.find(id), id, catalog);
      reply.header('cache-control', cacheControl(true));
      return sendRanged(request, reply, contentTag(`${digest} npz`), async () => {
        // The data set stays in memory until the response is sent.
        const held = new DisposableStack();
        onceClosed(reply, () => held.dispose());
        held.use(catalog.retain(id));
        held.use(memory.reserve(catalog.loadedBytes(id), { what: `Exporting data set ${id}` }));
        const { imageShape, train, validation, test } = orNotFound(await catalog.get(id), id, catalog);
        reply.type('application/zip').header('content-disposition', `attachment; filename="${id}.npz"`);
        const arrays = Object.entries({ train, ...(validation && { val: validation }), test }).flatMap(
          ([split, { pixels, labels }]) => [
            { name: `x_${split}`, shape: [labels.length, ...imageShape], data: pixels },
            { name: `y_${split}`, shape: [labels.length], data: labels },
          ],
        );
        return streamNpz(arrays);
      });
    },
  });
};
