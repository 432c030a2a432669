// An S3 server in a process of its own, so that it can be ended like a real one. Writes its port, lives until killed.
import { startFauxqs } from 'fauxqs';

const server = await startFauxqs({ port: Number(process.argv[3] ?? 0), logger: false });
server.createBucket(process.argv[2]);
process.stdout.write(`${server.port}\n`);
// Whoever started it may be gone without a word.
process.stdin.resume().once('end', () => process.exit());
