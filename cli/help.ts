/** Help texts: an overview of all commands, and one page per command. */
import type { Command, Option } from './command.ts';

type Options = Readonly<Record<string, Option>>;

export function overview(commands: Readonly<Record<string, Command>>, common: Options): string {
  const lines = Object.entries(commands).map(([name, { parameters, summary }]) => [
    [name, ...parameters].join(' '),
    summary,
  ]);
  return [
    'Trains and serves small image classifiers with an Atelier service.',
    '',
    'Usage: npx atelier <command> [options]',
    '',
    ...align(lines),
    '',
    'Options of every command:',
    ...describe(common),
  ].join('\n');
}

export function commandHelp(
  name: string,
  { parameters, options, summary, notes }: Command,
  common: Options,
): string {
  return [
    `${summary}.`,
    '',
    `Usage: npx atelier ${[name, ...parameters].join(' ')} [options]`,
    '',
    ...describe({ ...options, ...common }),
    ...(notes ? ['', notes] : []),
  ].join('\n');
}

function describe(options: Options): string[] {
  return align(
    Object.entries(options).map(([name, { short, value, help }]) => [
      `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`,
      help,
    ]),
  );
}

function align(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left!.length));
  return rows.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`);
}
