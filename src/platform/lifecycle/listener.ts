import type { Server, ServerOptions } from 'node:http';

/**
 * Keep-alive outlives the 60 s idle limit of common load balancers, so that they never reuse a connection we just
 * closed; the other two count from a request's first byte and end slow-header and slow-body clients.
 */
export const httpTimeouts: ServerOptions = { keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 30_000 };

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
