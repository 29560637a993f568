/** Detects that the files of the open database were removed or replaced. */
import { statSync } from 'node:fs';
import { AtelierError } from '../../errors.ts';

export type DatabaseFiles = ReturnType<typeof createDatabaseFiles>;

/** SQLite has the same check by inode, but not for databases with a write-ahead log. */
export function createDatabaseFiles(file: string) {
  const files = [file, `${file}-wal`];
  let inodes: readonly string[] | undefined;
  return {
    /** Call when the database is open: the files are now the right ones. */
    remember() {
      inodes = files.map(inode);
    },
    /**
     * Costs a few microseconds. Does nothing before `remember`.
     * @throws AtelierError `state-unusable` if a file was removed or replaced: SQLite would go on writing into the removed one
     */
    assertInPlace() {
      const other = inodes && files.find((name, n) => inode(name) !== inodes![n]);
      if (other === undefined) return;
      throw new AtelierError(
        'state-unusable',
        'The database was removed or replaced while the service uses it, so nothing can be stored. Put it back, or restart ' +
          'the service; its log names the file.',
        { cause: new Error(`${other} is not the file that was opened at the start`) },
      );
    },
  };
}

function inode(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found ? `${found.dev} ${found.ino}` : 'missing';
}
