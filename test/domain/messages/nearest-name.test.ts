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

test('two letters may differ, and fewer in a name of up to four letters', () => {
  assert.equal(nearestName('xyarningRate', KNOWN), 'learningRate');
  assert.equal(nearestName('xyzrningRate', KNOWN), undefined);
  assert.equal(nearestName('sexy', KNOWN), undefined);
  assert.equal(nearestName('mix', ['min']), 'min');
  assert.equal(nearestName('l2', KNOWN), undefined);
});

test('of several similar names, suggests the nearest one', () => {
  for (const known of [
    ['workers', 'workload'],
    ['workload', 'workers'],
  ]) {
    assert.equal(nearestName('worker', known), 'workers');
    assert.equal(nearestName('workloads', known), 'workload');
  }
  for (const known of [
    ['factor', 'factory'],
    ['factory', 'factor'],
  ]) {
    assert.equal(nearestName('Factor', known), 'factor');
    assert.equal(nearestName('factoryBuilding', known), 'factory');
    assert.equal(nearestName('fac', known), 'factor');
    assert.equal(nearestName('fa', known), undefined);
  }
});

test('suggests nothing for a name of more than 64 characters', () => {
  const known = ['a'.repeat(64)];
  assert.equal(nearestName('b'.concat('a'.repeat(63)), known), known[0]);
  assert.equal(nearestName('a'.repeat(65), known), undefined);
});
