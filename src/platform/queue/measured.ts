import { monotonicMs } from '../clock/clock.js';
import { metrics } from '../logging/metrics.js';

/** A call to the queue, with how long it took and whether it went well. */
export async function measured<Result>(
  system: string,
  operation: string,
  call: () => Promise<Result>,
): Promise<Result> {
  const startedAt = monotonicMs();
  let result = 'error';
  try {
    const answer = await call();
    result = 'ok';
    return answer;
  } finally {
    const labels = { messaging_system: system, messaging_operation_name: operation, result };
    metrics.queueCallSeconds.observe(labels, (monotonicMs() - startedAt) / 1000);
  }
}
