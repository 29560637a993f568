/** The page /docs: shows the OpenAPI document and sends requests from it. */
import { readFileSync } from 'node:fs';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { DOCS_PAGE_POLICY } from '../hooks/access/security-headers.ts';

const SVG = 'image/svg+xml';
const drawing = (name: string) => readFileSync(new URL(`../docs/${name}.svg`, import.meta.url));

/** @param basePath path under which a proxy serves the service */
export async function registerDocsPage(docs: FastifyInstance, basePath: string): Promise<void> {
  await docs.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: basePath,
    staticCSP: DOCS_PAGE_POLICY,
    logo: { type: SVG, content: drawing('logo') },
    theme: {
      title: 'Atelier',
      favicon: [{ filename: 'icon.svg', rel: 'icon', sizes: 'any', type: SVG, content: drawing('icon') }],
    },
    // Shows the required scope of each operation.
    uiConfig: { showExtensions: true },
  });
}
