import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showCommands, writeCommand } from '../../../../src/formats/documents/lab-report/command.ts';

test('a command has the method, the body and the file of its request, if there are any', () => {
  assert.equal(writeCommand('/base', '/v1/x?y=1'), 'curl -sS --fail-with-body "$ATELIER/base/v1/x?y=1"');
  assert.equal(
    writeCommand('', '/v1/x', { method: 'POST', body: { name: "it's" }, output: 'x.json' }),
    `curl -sS --fail-with-body -X POST "$ATELIER/v1/x" -H 'content-type: application/json' -d '{"name":"it'\\''s"}' -o x.json`,
  );
});

test('commands follow the address that they use', () => {
  assert.deepEqual(showCommands('http://a', ['one', 'two']), {
    ...{ kind: 'code', language: 'sh', text: 'ATELIER=http://a\none\ntwo' },
  });
});
