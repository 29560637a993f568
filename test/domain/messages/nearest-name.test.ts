import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../../src/domain/messages/nearest-name.ts';

const KNOWN = ['epochs', 'batchSize', 'seed', 'l1', 'learningRate', 'momentum'];

test('suggests the nearest name within two letters, else one with a common beginning', () => {
  assert.equal(nearestName('epoch', KNOWN), 'epochs');
  assert.equal(nearestName('Seed', KNOWN), 'seed');
  assert.equal(nearestName('batch', KNOWN), 'batchSize');
  assert.equal(nearestName('learningRates2', KNOWN), 'learningRate');
  assert.equal(nearestName('momemtun', KNOWN), 'momentum');
});

test('suggests nothing for a name that resembles no allowed name', () => {
  for (const name of ['colour', 'ab', 'x', 'x'.repeat(100_000)])
    assert.equal(nearestName(name, KNOWN), undefined);
});
