/** Sections of a lab report, in their order. */
import type { LabReport, ReportSection } from '../../../domain/reports/lab-report.ts';
import { type Block, text } from '../blocks.ts';
import { describeCalibration, listCoverage } from '../facts.ts';
import { showCommands } from './command.ts';
import { dataBlocks } from './data.ts';
import { evaluationBlocks } from './evaluation.ts';
import { gradientCheckBlocks } from './gradient-check.ts';
import type { IdentifiedSection, ReportInput } from './input.ts';
import { pathBlocks, weightsBlocks } from './pictures.ts';
import { receiptBlocks, resultBlocks, testSetBlocks } from './result.ts';
import { searchBlocks } from './search.ts';
import { trainingBlocks } from './training.ts';

/** Each draws a section, or only what is known if the section is left out. */
const SECTIONS: readonly {
  readonly id: ReportSection;
  readonly title: string;
  readonly blocks: (input: ReportInput) => readonly Block[];
}[] = [
  { id: 'data', title: 'Data', blocks: dataBlocks },
  { id: 'gradient-check', title: 'Gradient check', blocks: gradientCheckBlocks },
  { id: 'search', title: 'Search', blocks: searchBlocks },
  { id: 'training', title: 'Training', blocks: trainingBlocks },
  { id: 'weights', title: 'Weights of the first layer', blocks: weightsBlocks },
  { id: 'evaluation', title: 'Evaluation on the test split', blocks: evaluationBlocks },
  {
    id: 'calibration',
    title: 'Calibration',
    blocks: ({ report: { calibration, coverage } }) => [
      ...(calibration === null ? [] : describeCalibration(calibration)),
      ...(coverage === null ? [] : listCoverage(coverage)),
    ],
  },
  { id: 'path', title: 'Path of the training', blocks: pathBlocks },
  { id: 'test-set', title: 'Looks at the test split', blocks: testSetBlocks },
  { id: 'receipt', title: 'Receipt', blocks: receiptBlocks },
];

export function writeSections(input: ReportInput): IdentifiedSection[] {
  const { report, address } = input;
  const sections = SECTIONS.map(({ id, title, blocks }) => ({
    id,
    title,
    blocks: [
      ...blocks(input),
      ...report.omitted
        .filter(({ section }) => section === id)
        .flatMap((omission) => describeOmission(omission, address)),
    ],
  }));
  return [
    { id: 'result', title: null, blocks: resultBlocks(input) },
    // Most jobs belong to no search.
    ...sections.filter(({ blocks }) => blocks.length > 0),
  ];
}

function describeOmission({ reason, curl }: LabReport['omitted'][number], address: string): Block[] {
  return [text(`Left out: ${reason}`), ...(curl === null ? [] : [showCommands(address, [curl])])];
}
