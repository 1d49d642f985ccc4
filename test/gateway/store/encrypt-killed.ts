// Changes the key of a store, and kills itself before the n-th change of a row or a file.
import { killAt } from './cut.ts';

const [directory, from, key, at] = process.argv.slice(2) as [string, string, string, string];
killAt(Number(at), { statements: true });
const { encryptStore } = await import('../../../gateway/store/encrypt.ts');
const keyOf = (hex: string) => ({ bytes: Buffer.from(hex, 'hex'), source: 'test' });
encryptStore({ directory, key: keyOf(key), from: keyOf(from) });
