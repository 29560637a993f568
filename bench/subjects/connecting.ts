/** Thread: 500 clients that connect at once, then send predictions as fast as they get responses. */
import { workerData } from 'node:worker_threads';
import autocannon from 'autocannon';

await autocannon({
  url: `${workerData as string}/v1/models/served/predictions`,
  method: 'POST',
  headers: { 'content-type': 'application/octet-stream' },
  body: Buffer.alloc(784, 100),
  connections: 500,
  duration: 60,
});
