// Writes or restores a backup, and kills itself before the n-th change of a file.
import { killAt } from './cut.ts';

const [verb, path, directory, at] = process.argv.slice(2) as [string, string, string, string];
killAt(Number(at), { statements: false });
if (verb === 'backup') {
  const { writeBackup } = await import('../../../gateway/store/backup.ts');
  writeBackup(directory, path, 7000);
} else {
  const { restore } = await import('../../../gateway/restoring.ts');
  restore({ path, directory, replace: true, now: () => 9000 });
}
