import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandHelp, overview } from '../../cli/help.ts';

const command = {
  summary: 'Print a model',
  parameters: ['name', 'file…'],
  options: { alias: { type: 'string', short: 'a', value: 'NAME', help: 'Alias to print' } },
} as const;
const common = { json: { type: 'boolean', help: 'Print JSON' } } as const;
const HELP = `Print a model.

Usage: npx atelier show name file… [options]

  -a, --alias NAME  Alias to print
  --json            Print JSON`;

test('the help of a command has its usage, its options before the common ones, and its notes at the end', () => {
  assert.equal(commandHelp('show', command, common), HELP);
  const notes = 'A second call changes nothing.';
  assert.equal(commandHelp('show', { ...command, notes }, common), `${HELP}\n\n${notes}`);
});

test('the overview lists the programs, the commands and the options of every request', () => {
  const programs = { serve: { summary: 'Start a service', parameters: [] } };
  const text = overview(programs, { show: command }, common);
  assert.match(
    text,
    /\n {2}serve {2}Start a service\n\nRequests to a service:\n {2}show name file… {2}Print a model\n\nOptions of every request:\n {2}--json {2}Print JSON$/,
  );
});
