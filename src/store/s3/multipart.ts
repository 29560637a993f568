/** Multipart uploads: an object in parts. It becomes visible when it is complete. */
import { readNothing, type S3Client } from './client.ts';
import { readElement, S3Error } from './errors.ts';

type Parts = Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;

/**
 * Sends an object in parts. If an error occurs, the upload is aborted, so that its parts take no space.
 * @param parts at least one; all but the last of 5 MiB or more
 * @throws AtelierError `storage-unavailable`, `storage-full`, and errors of `parts`
 */
export async function putParts(client: S3Client, name: string, parts: Parts): Promise<void> {
  const uploadId = await startUpload(client, name);
  try {
    const tags: string[] = [];
    for await (const body of parts) {
      const query = { partNumber: `${tags.length + 1}`, uploadId };
      tags.push(await client.send({ method: 'PUT', name, query, body }, readTag));
    }
    await completeUpload(client, name, uploadId, tags);
  } catch (error) {
    await abortUpload(client, name, uploadId).catch(() => {}); // the first error is reported
    throw error;
  }
}

async function readTag(response: Response): Promise<string> {
  await readNothing(response);
  return response.headers.get('etag') ?? '';
}

async function startUpload(client: S3Client, name: string): Promise<string> {
  const xml = await client.send({ method: 'POST', name, query: { uploads: '' } }, (response) =>
    response.text(),
  );
  return readElement(xml, 'UploadId') ?? '';
}

async function completeUpload(
  client: S3Client,
  name: string,
  uploadId: string,
  tags: readonly string[],
): Promise<void> {
  const parts = tags.map((tag, n) => `<Part><PartNumber>${n + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
  const body = new TextEncoder().encode(
    `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
  );
  await client.send({ method: 'POST', name, query: { uploadId }, body }, async (response) => {
    // The status is sent before the parts are joined, so an error follows in the body.
    const xml = await response.text();
    if (xml.includes('<Error>')) throw new S3Error(500, xml);
  });
}

function abortUpload(client: S3Client, name: string, uploadId: string): Promise<void> {
  return client.send({ method: 'DELETE', name, query: { uploadId } }, readNothing);
}
