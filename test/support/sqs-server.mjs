// An SQS server in a process of its own, so that it can be ended like a real one: a queue named by the first argument and
// its dead-letter queue. Writes its port, lives until killed.
import { startFauxqs } from 'fauxqs';

const [, , name, port = '0', maxReceiveCount = '10'] = process.argv;
const kind = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
const server = await startFauxqs({ port: Number(port), logger: false });
const { queueArn: deadLetterTargetArn } = server.createQueue(`dead-${name}`, { attributes: kind });
server.createQueue(name, {
  attributes: { ...kind, RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) },
});
process.stdout.write(`${server.port}\n`);
// Whoever started it may be gone without a word.
process.stdin.resume().once('end', () => process.exit());
