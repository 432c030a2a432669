import { type DestinationStream, type Logger, pino } from 'pino';
import { errorFields } from './error-fields.js';
import { Log } from './log.js';
import { metrics } from './metrics.js';
import { currentTrace } from './tracing.js';

const UNREAD_BYTES = 1024 * 1024;
/** For the last lines, at the end of the process. */
const PARTING_MS = 500;

export interface LogSettings {
  level: string;
  /** Also write to this file, rotated by size and day. */
  file?: string | undefined;
  /** And not to stdout. */
  fileOnly?: boolean;
  /** How large one file may become (20m), and how many old ones are kept. */
  rotation?: { size: string; keep: number };
  pretty: boolean;
  base: Record<string, string>;
  /** Lines name the span they are written in. */
  traced?: boolean;
}

const ROTATION = { size: '20m', keep: 14 };

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

/**
 * A reader that stands still costs lines, which are counted, and neither memory without end nor the service, nor does it
 * keep the process from ending: what it has not taken a moment after the end is lost.
 */
function openStandardOutput(): DestinationStream {
  // Node makes a pipe non-blocking when it opens it as a stream; a write to a full one then fails instead of hanging.
  void process.stdout;
  let endedAt: number | undefined;
  const stream = pino.destination({
    fd: 1,
    sync: false,
    minLength: 0,
    maxLength: UNREAD_BYTES,
    retryEAGAIN: () => endedAt === undefined || performance.now() - endedAt < PARTING_MS,
  });
  // Before pino's own listener, which would wait for the reader.
  process.prependOnceListener('exit', () => {
    endedAt = performance.now();
    try {
      stream.flushSync();
    } catch {
      // Nobody reads: what is left stays unsaid.
    }
    stream.destroy();
  });
  stream.on('drop', () => metrics.logLinesDropped.inc());
  return stream;
}

let opened: DestinationStream | undefined;
/** A process has one, however many logs it keeps. */
const standardOutput = (): DestinationStream => (opened ??= openStandardOutput());

async function createPino({
  level,
  file,
  fileOnly = false,
  rotation = ROTATION,
  pretty,
  base,
  traced = false,
}: LogSettings): Promise<Logger> {
  const options = {
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'msg',
    serializers: { err: (error: unknown) => errorFields(error) },
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
  } else if (!fileOnly) {
    streams.push({ level, stream: standardOutput() });
  }
  if (file) {
    const { default: roll } = await import('pino-roll');
    streams.push({
      level,
      stream: await roll({
        file,
        size: rotation.size,
        frequency: 'daily',
        mkdir: true,
        limit: { count: rotation.keep },
      }),
    });
  }
  return pino(options, pino.multistream(streams as Parameters<typeof pino.multistream>[0]));
}
