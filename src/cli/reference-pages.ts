import { errorCodes } from '../platform/errors/error-codes.js';
import { settingRows } from './config.command.js';

const GENERATED = '<!-- Written by `npm run contract`; change the source, not this page. -->';
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/guides/configuration.md, from the schema that checks the environment. */
export function configurationPage(): string {
  const rows = settingRows().map(
    ({ name, default: byDefault, allowed, secret, description }) =>
      `| \`${name}\`${secret ? ' (secret)' : ''} | ${byDefault === null ? '-' : `\`${cell(byDefault)}\``} | ${cell(allowed)} | ${cell(description)} |`,
  );
  return `${GENERATED}
# Configuration

Parley reads its environment once, at start, and reports every fault at once (exit code 10). \`NAME_FILE\` reads the value of
\`NAME\` from a file, a value \`ssm:/path\` reads it from AWS Parameter Store. \`npx parley config print\` shows what is in
force and where it came from, secrets hidden.

| Variable | Default | Allowed | Meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** docs/guides/errors.md, from the table of codes. */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`);
  return `${GENERATED}
# Error codes

Every failed request answers \`application/problem+json\` (RFC 9457); the same object is \`error\` in a failed socket ack and
\`data\` of a \`connect_error\`. Branch on \`code\`: codes are stable within \`/api/v1\`. Retry without asking on 429, 500, 503,
\`idempotency_in_progress\` and no answer at all; everything else is final.

| Code | Status | Title |
|---|---|---|
${rows.join('\n')}
`;
}

interface OpenApi {
  paths: Record<string, Record<string, { operationId?: string; tags?: string[]; security?: unknown[] }>>;
}
interface AsyncApi {
  components: { messages: Record<string, { name: string; summary?: string }> };
}

/** docs/llms.txt (https://llmstxt.org): what a program that writes programs has to know, and where the rest is. */
export function llmsText(openapi: object, asyncapi: object): string {
  const routes = Object.entries((openapi as OpenApi).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId = '', security }]) => ({
      group: operationId.split('.')[0] ?? '',
      line: `- ${method.toUpperCase()} ${path}${security ? '' : ' (no token)'}`,
    })),
  );
  const groups = [...Map.groupBy(routes, ({ group }) => group)].map(
    ([group, all]) => `### ${group}\n\n${all.map(({ line }) => line).join('\n')}`,
  );
  const events = Object.entries((asyncapi as AsyncApi).components.messages);
  const list = (fromServer: boolean) =>
    events
      .filter(([key]) => key.startsWith('server_') === fromServer)
      .map(([, { name, summary }]) => `- ${name}${fromServer && summary ? `: ${summary}` : ''}`)
      .join('\n');
  return `# Parley

> A messaging backend: users, conversations, messages, presence, media and notifications over REST and Socket.IO, on PostgreSQL. One command starts it: npm start, then http://localhost:3000.

- [OpenAPI 3.1](/openapi.json): every route with its schemas; to read and try: [/docs](/docs)
- [AsyncAPI 3](/asyncapi.json): every socket command and event; to read: [/docs/sockets](/docs/sockets)
- TypeScript client: @parley/client (outbox, gap repair, reconnects). Prefer it to writing a client of your own.

## Rules that save time

- Sign in: POST /api/v1/auth/register or /api/v1/auth/login answers tokens. Send \`Authorization: Bearer <accessToken>\`; it lives ten minutes, POST /api/v1/auth/refresh renews it, a refresh token works once.
- Send a message: POST /api/v1/conversations/{id}/messages with \`clientId\` (a UUID made before the first try) and \`body\`. Repeat the same request until it is answered: the same clientId stores one message, for ever.
- Every message has a dense \`seq\` in its conversation; every change of anything has a \`rev\`. After an interruption ask GET /api/v1/conversations/{id}/changes?after=<rev>.
- Sockets: Socket.IO 4, namespace /v1, transport websocket, \`auth: {token, deviceId, protocol: 1}\`. Live events are hints; the tables are the truth.
- Failures are RFC 9457 problems with a stable \`code\`; the same object is \`error\` in a failed ack. Retry 429, 500, 503 and no answer, after \`retryAfterMs\`; everything else is final.
- Lists take \`limit\` (at most 100) and \`cursor\`. Changing profiles, conversations and settings takes \`If-Match\`.
- Other POSTs can be repeated under an \`Idempotency-Key\` header for 24 hours.

## Socket commands

${list(false)}

## Socket events

${list(true)}

## REST

${groups.join('\n\n')}
`;
}
