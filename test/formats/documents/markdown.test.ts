import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Block,
  codeBlock,
  decimal,
  properties,
  prose,
  scientific,
  text,
  whole,
} from '../../../src/formats/documents/blocks.ts';
import { writeMarkdown } from '../../../src/formats/documents/markdown.ts';

const write = (...blocks: readonly Block[]) =>
  writeMarkdown('T', [{ title: null, blocks }]).slice('# T\n\n'.length);

test('sections follow the title, each below its own', () => {
  const sections = [
    { title: null, blocks: [text('first')] },
    { title: 'Second', blocks: [text('second'), text('third')] },
  ];
  assert.equal(
    writeMarkdown('1. *T*', sections),
    '# 1\\. \\*T\\*\n\nfirst\n\n## Second\n\nsecond\n\nthird\n',
  );
});

test('every kind of block is written', () => {
  const draw = () => assert.fail('charts are links');
  const image = { alt: 'A', url: '/a', png: null };
  for (const [block, written] of [
    [{ kind: 'quote', text: ' # quoted\nlines ' }, '> \\# quoted lines\n'],
    [{ kind: 'list', items: ['- a', 'b'] }, '- \\- a\n- b\n'],
    [{ kind: 'heading', title: '2) b' }, '### 2\\) b\n'],
    [codeBlock('sh', 'a', 'b'), '```sh\na\nb\n```\n'],
    [
      properties([['a', whole(1000)], null, ['b', ['c', { strong: 'd' }, ' | ']]]),
      '| property | value |\n| --- | --- |\n| a | 1,000 |\n| b | c**d** \\| |\n',
    ],
    [
      {
        kind: 'charts',
        charts: [
          { title: 'A', url: '/a', draw },
          { title: 'B', url: '/b', draw },
        ],
      },
      '![A](/a)\n\n![B](/b)\n',
    ],
    [
      {
        kind: 'images',
        isWide: false,
        images: [
          { ...image, caption: 'C' },
          { ...image, caption: '' },
        ],
      },
      '- ![A](/a) C\n![A](/a)\n',
    ],
  ] satisfies [Block, string][]) {
    assert.equal(write(block), written);
  }
});

test('a paragraph escapes markup, and text at its start only there', () => {
  assert.equal(write(text(' #a #b ')), '\\#a #b\n');
  for (const start of ['-', '+', '#', '=', '.', ')', '1.', '12)']) {
    assert.equal(write(text(`${start} a`)), `${start.slice(0, -1)}\\${start.at(-1)} a\n`);
  }
  assert.equal(write(text({ strong: '-a' }, '+b')), '**-a**+b\n');
  assert.equal(write(text('\\`*_[]<>|~&$')), '\\\\\\`\\*\\_\\[\\]\\<\\>\\|\\~\\&\\$\n');
});

test('code has longer fences than its own backquotes', () => {
  const code = (content: string) => write(text({ code: content }));
  assert.equal(code('a\n|b'), '`a ¦b`\n');
  assert.equal(code('`a`` b`'), '``` `a`` b` ```\n');
  assert.equal(code('a`b'), '`` a`b ``\n');
});

test('a line break of a template is a space, and numbers are rounded', () => {
  const block = prose`The loss
      ${decimal(0.12345)} is ${decimal(null)}${''}, below ${scientific(0.000_123_9)}
      of it.`;
  assert.equal(write(block), 'The loss 0.1235 is –, below 1.24e-4 of it.\n');
  assert.deepEqual(decimal(0.12345), { value: 0.12345, shown: '0.1235' });
});
