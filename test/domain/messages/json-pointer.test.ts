import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPointer } from '../../../src/domain/messages/json-pointer.ts';

test('escapes slashes and tildes in the names of a path', () => {
  assert.equal(jsonPointer([]), '#');
  assert.equal(jsonPointer(['a/b', 0, '~1', 'a~/~/']), '#/a~1b/0/~01/a~0~1~0~1');
});
