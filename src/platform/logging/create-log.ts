import { type DestinationStream, type Logger, pino } from 'pino';
import { Log } from './log.js';
import { metrics } from './metrics.js';
import { currentTrace } from './tracing.js';

const UNREAD_BYTES = 1024 * 1024;

export interface LogSettings {
  level: string;
  /** Also write to this file, rotated by size and day. */
  file?: string | undefined;
  pretty: boolean;
  base: Record<string, string>;
  /** Lines name the span they are written in. */
  traced?: boolean;
}

/** Names whose values are removed wherever they appear in a line, should one ever get there. */
const secrets = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'code',
  'body',
  'authorization',
  'cookie',
];

/** JSON lines on stdout; on a terminal the same lines, made readable. */
export async function createLog(settings: LogSettings): Promise<Log> {
  return new Log(await createPino(settings));
}

/** A reader that stands still costs lines, which are counted, and neither memory without end nor the service. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: false, minLength: 0, maxLength: UNREAD_BYTES });
  stream.on('drop', () => metrics.logLinesDropped.inc());
  return stream;
}

async function createPino({ level, file, pretty, base, traced = false }: LogSettings): Promise<Logger> {
  const options = {
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'msg',
    formatters: { level: (label: string) => ({ level: label }) },
    ...(traced ? { mixin: () => ({ ...currentTrace() }) } : {}),
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '(hidden)' },
  };
  const streams: { level: string; stream: DestinationStream }[] = [];
  if (pretty) {
    const { default: prettyStream } = await import('pino-pretty');
    streams.push({ level, stream: prettyStream({ ignore: 'pid,hostname,event,replica,version', sync: true }) });
  } else if (!file) {
    return pino(options, standardOutput());
  } else {
    streams.push({ level, stream: standardOutput() });
  }
  if (file) {
    const { default: roll } = await import('pino-roll');
    streams.push({
      level,
      stream: await roll({ file, size: '20m', frequency: 'daily', mkdir: true, limit: { count: 14 } }),
    });
  }
  return pino(options, pino.multistream(streams as Parameters<typeof pino.multistream>[0]));
}
