import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';

/**
 * Keep-alive outlives the 60 s idle limit of common load balancers, so that they never reuse a connection we just
 * closed. Slow bodies are `limitBody`'s business: Node has one limit for all requests, and uploads need another one.
 */
export const httpTimeouts: ServerOptions = { keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 0 };

const BODY_MS = 30_000;
/** Where files come in: as fast as the line of who sends them. */
const UPLOADS = '/api/v1/media/files/';

/** Ends a client that does not finish its request: 30 s for all of it, an upload after 30 s without a byte. */
export function limitBody(request: IncomingMessage, response: ServerResponse, bodyMs = BODY_MS): void {
  const { headers, socket } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  const refuse = (): void => {
    if (request.complete) return;
    if (!response.headersSent) socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  };
  if (request.method === 'PUT' && request.url?.startsWith(UPLOADS) === true) {
    request.setTimeout(bodyMs, refuse);
    return;
  }
  const timer = setTimeout(refuse, bodyMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

const PORT_TAKEN = 23;
const CONFIG = 10;

/** The port cannot be used. One line that says what to do, and the exit code. */
export class ListenError extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
    this.name = 'ListenError';
  }
}

/** Binds the port before the configuration is read as a whole; a value that is no port is reported with all other faults. */
export async function listenOn(server: Server, portText = '3000', host = '0.0.0.0'): Promise<void> {
  const port = /^\d{1,5}$/.test(portText || '3000') ? Number(portText || '3000') : NaN;
  if (!(port <= 65_535)) return;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, port, host)));
    server.listen(port, host || '0.0.0.0', resolve);
  });
}

function explain(error: NodeJS.ErrnoException, port: number, host: string): ListenError {
  if (error.code === 'EADDRINUSE') {
    return new ListenError(
      `Port ${port} is in use. Stop the program that has it, or choose another: PORT=${port + 1} npm start`,
      PORT_TAKEN,
    );
  }
  if (error.code === 'EACCES')
    return new ListenError(`Port ${port} needs more rights. Choose one above 1023: PORT=3000 npm start`, PORT_TAKEN);
  return new ListenError(
    `Cannot listen on ${host}:${port} (${error.code ?? error.message}). Check HOST and PORT.`,
    CONFIG,
  );
}
