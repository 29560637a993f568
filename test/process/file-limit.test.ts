import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeFewFiles } from '../../src/process/file-limit.ts';
import { temporaryDirectory } from '../support/start-service.ts';

test('warns if the limit of open files is below what the connections need', async (t) => {
  const limits = join(await temporaryDirectory(t), 'limits');
  const describe = async (limit: string) => {
    const line = `Max open files            ${limit.padEnd(21)}${limit.padEnd(21)}files\n`;
    await writeFile(
      limits,
      `Limit                     Soft Limit           Hard Limit           Units\n${line}`,
    );
    return describeFewFiles(limits);
  };
  assert.match((await describe('1024'))!, /can open 1024 files.* need 4100\. .*ulimit -n 4100/);
  assert.match((await describe('4099'))!, /4099/);
  for (const enough of ['4100', '1048576', 'unlimited']) assert.equal(await describe(enough), undefined);
  assert.equal(await describeFewFiles(join(limits, 'missing')), undefined);
});
