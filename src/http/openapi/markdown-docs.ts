/** The documentation for language models: /llms.txt, /llms-full.txt, and each page as Markdown. */
import { readFile } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contentTag } from '../conditional/etag.ts';
import { type Prepared, sendPrepared } from '../conditional/prepared.ts';

/** The line before each page of llms-full.txt, with the path of the page. */
const PAGE = /^<!-- (\S+\.md) -->\n/m;

const prepare = (bytes: Buffer): Prepared => ({ tag: contentTag(bytes), bytes });
const read = (name: string) => readFile(new URL(`../docs/${name}`, import.meta.url));

/** By path: /llms.txt links to the pages. */
async function load(): Promise<ReadonlyMap<string, Prepared>> {
  const [index, full] = await Promise.all([read('llms.txt'), read('llms-full.txt')]);
  const files = new Map([
    ['/llms.txt', prepare(index)],
    ['/llms-full.txt', prepare(full)],
  ]);
  const [, ...parts] = full.toString().split(PAGE);
  for (let i = 0; i < parts.length; i += 2) files.set(`/${parts[i]}`, prepare(Buffer.from(parts[i + 1]!)));
  return files;
}

/** @returns sends the file of the path of a request, or resolves to undefined if there is none */
export function createMarkdownDocs() {
  let files: ReturnType<typeof load> | undefined;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const [path] = request.url.split('?', 1);
    files ??= load();
    const file = (await files).get(path!);
    if (file === undefined) return undefined;
    const type = path!.endsWith('.md') ? 'text/markdown' : 'text/plain';
    return sendPrepared(request, reply, file.tag, async () => file, `${type}; charset=utf-8`);
  };
}
