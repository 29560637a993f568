/** Input and sections of a lab report. */
import type { EpochRecord } from '../../../domain/jobs/epoch-record.ts';
import type { LabReport, ReportSection } from '../../../domain/reports/lab-report.ts';
import type { Section } from '../blocks.ts';

export interface IdentifiedSection extends Section {
  /** `result` is always present, so it is not among the sections that a report can omit. */
  readonly id: ReportSection | 'result';
}

/** Pictures to embed, in PNG. */
export interface ReportPictures {
  readonly weights: Buffer | null;
  /** In the order of `examples` of the report. */
  readonly examples: readonly Buffer[];
  /** In the order of the mistakes of the evaluation. */
  readonly mistakes: readonly Buffer[];
}

export interface ReportInput {
  readonly report: LabReport;
  /** All epochs; the report lists the last ones. */
  readonly records: readonly EpochRecord[];
  /** Whether the job is a trial that was stopped by its search. The status of such a job is `cancelled`. */
  readonly isStopped: boolean;
  /** null if pictures are links. */
  readonly pictures: ReportPictures | null;
  /** Prefix of the API's paths. */
  readonly basePath: string;
  /** Address of the service without `basePath`, such as `http://localhost:3000`. */
  readonly address: string;
}
