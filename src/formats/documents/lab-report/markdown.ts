/** Writes a lab report as Markdown. Pictures are links to the service, or embedded. */
import { writeMarkdown } from '../markdown.ts';
import type { ReportInput } from './input.ts';
import { writeSections } from './sections.ts';

export function writeMarkdownReport(input: ReportInput): string {
  const title = `Lab report: ${input.report.job.modelName}`;
  return writeMarkdown(title, writeSections(input), input.pictures !== null);
}
