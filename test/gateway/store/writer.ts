// Writes samples as fast as it can and prints the sequence number of each that is acknowledged.
import { writeSync } from 'node:fs';
import { openStore } from '../../../gateway/store/store.ts';
import { sample } from './support-sample.ts';

const [directory, session] = [process.argv[2], Number(process.argv[3])];
const store = openStore({ directory, maxGroup: 16 });
writeSync(1, 'open\n');
for (let seq = 1; ; seq += 20) {
  const group = Array.from({ length: 20 }, (_, i) => seq + i);
  await Promise.all(
    group.map(async (n) => {
      await store.samples.add(
        sample({ session, seq: n, window: new Int8Array(150).fill(n % 100) }),
      );
      writeSync(1, `${n}\n`);
    }),
  );
}
