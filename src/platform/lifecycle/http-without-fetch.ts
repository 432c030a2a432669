const http = process.getBuiltinModule('node:http');

/**
 * `node:http` for ES modules, without `WebSocket` and its events. An import of the real one reads every export of it, and
 * these load Node's whole fetch implementation: several percent of a start.
 */
export const {
  Agent,
  ClientRequest,
  IncomingMessage,
  METHODS,
  OutgoingMessage,
  STATUS_CODES,
  Server,
  ServerResponse,
  createServer,
  get,
  globalAgent,
  maxHeaderSize,
  request,
  setMaxIdleHTTPParsers,
  validateHeaderName,
  validateHeaderValue,
} = http;
export default http;
