// Starts a gateway and closes it again.
import { startGateway } from '../../gateway/main.ts';

const gateway = await startGateway({ dataDir: process.argv[2]!, virtual: 0, port: 0 });
await gateway.close();
