/** Arguments of a command line: options, positional arguments, and suggestions for mistyped names. */
import { parseArgs } from 'node:util';
import { distance } from 'fastest-levenshtein';
import type { Command, Option } from './command.ts';
import { UsageError } from './errors.ts';

type Options = Readonly<Record<string, Option>>;

const MAX_DISTANCE = 2;

/** @returns ` Did you mean …?` with the nearest name, else an empty text */
export function suggest(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((each) => ({ each, edits: distance(name.toLowerCase(), each.toLowerCase()) }))
    // Short names need closer matches, since two edits could replace the whole name.
    .filter(({ each, edits }) => edits <= Math.min(MAX_DISTANCE, (each.length - 1) / 2))
    .toSorted((a, b) => a.edits - b.edits);
  return nearest ? ` Did you mean ${nearest.each}?` : '';
}

/** @throws UsageError for unknown options, values that are missing or not allowed, and a wrong number of arguments */
export function parseArguments(
  { parameters, ...command }: Pick<Command, 'parameters' | 'options'>,
  common: Options,
  args: string[],
) {
  const options = { ...command.options, ...common };
  // Not strict, because the messages of `parseArgs` do not name the options that exist.
  const { values, positionals, tokens } = parseArgs({
    args,
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === 'option') checkOption(token, options);
  // The request for help needs no arguments.
  if (!values['help']) checkCount(parameters, positionals);
  return { values, positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: Options): void {
  const option = Object.hasOwn(options, name) ? options[name]! : null;
  if (option === null) {
    const known = Object.keys(options).map((each) => `--${each}`);
    const advice = suggest(rawName, known) || ` Options: ${known.join(', ')}.`;
    throw new UsageError(`Unknown option ${rawName}.${advice}`);
  }
  if (option.type === 'boolean' && value !== undefined) {
    throw new UsageError(`${rawName} takes no value, but is ${JSON.stringify(value)}.`);
  }
  if (option.type === 'string' && (value === undefined || (!inlineValue && /^-[^\d.]/.test(value)))) {
    const advice = value === undefined ? '' : ` If ${value} is its value, write ${rawName}=${value}.`;
    throw new UsageError(`${rawName} needs a value${option.value ? `: ${option.value}` : ''}.${advice}`);
  }
}

/** The last parameter can end with `…`, for one or more arguments, or be in brackets, for none or one. */
function checkCount(parameters: readonly string[], given: readonly string[]): void {
  const last = parameters.at(-1);
  const least = parameters.length - (last?.startsWith('[') ? 1 : 0);
  if (given.length >= least && (last?.endsWith('…') || given.length <= parameters.length)) return;
  const expected = parameters.length === 0 ? 'no arguments' : parameters.join(' ');
  throw new UsageError(`Expected ${expected}, but got ${given.length} arguments.`);
}
