import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unwrapSingleNumbers } from '../../../src/formats/json/single-numbers.ts';

for (const [json, unwrapped] of [
  ['[[[[[1]]]]]', '[[[[ 1 ]]]]'],
  ['{"a":[[[[0]]]]}', '{"a":[[[ 0 ]]]}'],
  ['[[[[1]]]]', '[[[[1]]]]'],
  ['[[[[ [9] ,[-2.5e3],[ 4 ]]]]]', '[[[[  9  , -2.5e3 ,  4  ]]]]'],
  ['[[[[[1,2],[],[null],["3"],[{}],[[4]]]]]]', '[[[[[1,2],[],[null],["3"],[{}],[ 4 ]]]]]'],
  ['[[[[[1]]]],[[5]]]', '[[[[ 1 ]]],[[5]]]'],
  ['"[[[[[1]]]]]"', '"[[[[[1]]]]]"'],
] as const) {
  test(`the arrays of single numbers in ${json} are removed from the fifth level on`, () => {
    const bytes = Buffer.from(json);
    unwrapSingleNumbers(bytes);
    assert.equal(bytes.toString(), unwrapped);
  });
}
