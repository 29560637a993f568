/**
 * usage: npm run fuzz [-- --inputs 100000] [--seed 1] [--only NAME] [--input N]
 * Fuzzes everything that reads foreign bytes with mutated real files, in monitored processes. A value or an error with a
 * code is correct; a crash, another error, ten seconds without a result or a gigabyte of memory is a failure. Writes
 * bench/results/fuzz.md, except with --only. With --input, reads only that input, in this process.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toMarkdown } from '../bench/measure/report.ts';
import { createInput, type Parser } from './fuzz/input.ts';
import { all as parsers } from './fuzz/parsers.ts';
import { type Findings, fuzz } from './fuzz/run.ts';
import { all as serviceParsers } from './fuzz/service.ts';

const RESULT = join(import.meta.dirname, '../bench/results/fuzz.md');
const HANGS_AFTER_MS = 10_000;
const MEMORY_BYTES = 2 ** 30;

const all = { ...parsers, ...serviceParsers };

/** Fraction of all inputs; inputs of the running service take longer. */
const SHARES: Readonly<Record<keyof typeof all, number>> = {
  npy: 14,
  pictures: 14,
  'json images': 8,
  'encoded images in JSON': 4,
  checkpoints: 14,
  npz: 10,
  'arrays in npz': 8,
  'packed npy': 5,
  safetensors: 10,
  onnx: 5,
  'imported onnx': 8,
  'arrays of data sets': 5,
  'tables of data sets': 5,
  'archives of images': 2,
  configuration: 3,
  'forms of images': 2,
  'forms of models': 1,
  'forms of data sets': 1,
  'bodies of images': 2,
  'bodies of v2': 2,
  'tables of MLflow': 2,
};

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    input: { type: 'string' },
  },
});
const seed = Number(values.seed);
const names = Object.keys(all) as (keyof typeof all)[];
const chosen = names.filter((name) => values.only === undefined || values.only === name);
if (chosen.length === 0) {
  console.error(`Unknown parser ${values.only}. Parsers are ${names.join(', ')}.`);
  process.exit(1);
}

if (values.input !== undefined) {
  const [name] = chosen as [keyof typeof all];
  const parser: Parser = await all[name]();
  const { bytes, random } = createInput(parser, name, seed, Number(values.input));
  await parser.open?.();
  console.log(bytes.length, 'bytes →', await parser.parse(bytes, random));
  await parser.close?.();
} else {
  await fuzzAll();
}

async function fuzzAll(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'atelier-fuzz-failures-'));
  const shares = chosen.reduce((sum, name) => sum + SHARES[name], 0);
  const found = new Map<string, Findings>();
  for (const name of chosen) {
    const inputs = Math.ceil((Number(values.inputs) * SHARES[name]) / shares);
    const options = { seed, inputs, hangsAfterMs: HANGS_AFTER_MS, memoryBytes: MEMORY_BYTES, folder };
    const module = name in parsers ? './fuzz/parsers.ts' : './fuzz/service.ts';
    const findings = await fuzz(new URL(module, import.meta.url), name, options);
    found.set(name, findings);
    console.log(findingsRow(name, findings).join('  '));
    for (const { index, what } of findings.failures) {
      console.error(
        `npm run fuzz -- --only '${name}' --seed ${seed} --input ${index}\n${what}\nbytes: ${folder}`,
      );
    }
    if (findings.failures.length > 0) process.exitCode = 1;
  }
  if (values.only === undefined) writeFileSync(RESULT, report(found));
}

function findingsRow(name: string, findings: Findings): string[] {
  const { inputs, values, refusals, failures, seconds, slowestMs, peakBytes } = findings;
  const counts = [inputs, values, refusals, failures.length].map((n) => n.toLocaleString('en'));
  return [name, ...counts, seconds.toFixed(1), slowestMs.toFixed(0), (peakBytes / 2 ** 20).toFixed(0)];
}

function report(found: ReadonlyMap<string, Findings>): string {
  const sum = (of: (findings: Findings) => number) =>
    [...found.values()].reduce((total, each) => total + of(each), 0);
  const failures = sum((each) => each.failures.length);
  const columns = [
    'parser',
    'inputs',
    'read',
    'rejected',
    'failures',
    'seconds',
    'slowest, ms',
    'peak memory, MiB',
  ];
  return toMarkdown({
    title: 'Fuzzing',
    method:
      `${sum((each) => each.inputs).toLocaleString('en')} inputs of seed ${seed}, ${failures} failures: real files in which one to four things ` +
      'were changed (bits, bytes, insertions, deletions, repetitions, cuts, splices with another file, integers and numerals set to extremes); ' +
      'checksums of checkpoints and PNG are corrected in half of them. Read: the result was a value. Rejected: an error with a ' +
      `code, or a 4xx response. Anything else is a failure, as are ${HANGS_AFTER_MS / 1000} seconds without a result, the end of the ` +
      `process, or more than ${MEMORY_BYTES / 2 ** 20} MiB in it. Each row is one process, monitored by another; seconds include its start.`,
    versions: [],
    skipped: [],
    tables: [
      {
        heading: 'Parsers',
        columns,
        rows: [...found].map(([name, findings]) => findingsRow(name, findings)),
      },
    ],
    goals: [],
  });
}
