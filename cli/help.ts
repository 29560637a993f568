/** Help texts: an overview of all commands, and one page per command. */
import type { Command, Option } from './command.ts';

type Options = Readonly<Record<string, Option>>;

type Commands = Readonly<Record<string, Pick<Command, 'parameters' | 'summary'>>>;

/** @param programs commands without the options `common` */
export function overview(programs: Commands, commands: Commands, common: Options): string {
  const lines = (listed: Commands) =>
    Object.entries(listed).map(([name, { parameters, summary }]) => [
      [name, ...parameters].join(' '),
      summary,
    ]);
  return [
    'Trains and serves small image classifiers with an Atelier service.',
    '',
    'Usage: npx atelier <command> [options]',
    '       npx atelier --version',
    '',
    'A service on this machine, and its state:',
    ...align(lines(programs)),
    '',
    'Requests to a service:',
    ...align(lines(commands)),
    '',
    'Options of every request:',
    ...describe(common),
  ].join('\n');
}

export function commandHelp(
  name: string,
  { parameters, options, summary, notes }: Omit<Command, 'run'>,
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
