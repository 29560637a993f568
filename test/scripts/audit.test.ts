import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { auditVerdict, FOLDERS, lockFileFaults } from '../../scripts/audit.ts';

const sound = { integrity: `sha512-${'x'.repeat(86)}==` };
const faultsOf = (entry: object, decided: string[] = []) =>
  lockFileFaults({ packages: { '': { version: '1.0.0' }, 'node_modules/a': entry } }, decided);

test('every dependency of this project and of its generators is pinned by its hash', () => {
  for (const folder of FOLDERS) {
    const read = (file: string) =>
      JSON.parse(readFileSync(new URL(`../../${folder}${file}`, import.meta.url), 'utf8'));
    const lockFile = read('package-lock.json');
    assert.ok(Object.keys(lockFile.packages).length > 100);
    assert.deepEqual(lockFileFaults(lockFile, Object.keys(read('package.json').allowScripts ?? {})), []);
  }
});

test('reports dependencies without a hash, from another source, or with an undecided install script', () => {
  assert.deepEqual(faultsOf(sound), []);
  assert.match(faultsOf({ ...sound, integrity: undefined }).join(), /^a has no SHA-512/);
  assert.match(faultsOf({ ...sound, integrity: 'sha1-abc=' }).join(), /^a has no SHA-512/);
  assert.match(faultsOf({ ...sound, resolved: 'git+ssh://host/a.git' }).join(), /^a comes from git/);
  assert.match(faultsOf({ ...sound, hasInstallScript: true }).join(), /^a runs a script/);
  assert.deepEqual(faultsOf({ ...sound, hasInstallScript: true }, ['a']), []);
  const nested = { packages: { 'node_modules/b/node_modules/@c/d': { ...sound, hasInstallScript: true } } };
  assert.match(lockFileFaults(nested, ['b', 'd']).join(), /^@c\/d runs a script/);
});

test('distinguishes a known vulnerability from an unreachable registry', () => {
  const report = (vulnerabilities: object) => JSON.stringify({ auditReportVersion: 2, vulnerabilities });
  assert.equal(auditVerdict(0, report({})).kind, 'sound');
  assert.equal(auditVerdict(0, report({ a: { severity: 'low' } })).kind, 'sound');
  assert.deepEqual(auditVerdict(1, report({ a: { severity: 'high' } })), {
    kind: 'vulnerable',
    detail: 'a (high)',
  });
  const refused = JSON.stringify({ message: '405 Method Not Allowed', statusCode: 405 });
  assert.deepEqual(auditVerdict(1, refused), { kind: 'not-asked', detail: '405 Method Not Allowed' });
  assert.equal(auditVerdict(1, '').kind, 'not-asked');
  assert.equal(auditVerdict(null, 'npm error code ENOTFOUND').kind, 'not-asked');
});
