// Opens a store, and kills itself before the n-th statement.
import { openStore } from '../../../gateway/store/store.ts';
import { cutStatements } from './cut.ts';

const [directory, at] = process.argv.slice(2) as [string, string];
cutStatements(Number(at), () => process.kill(process.pid, 'SIGKILL'));
openStore({ directory }).close();
