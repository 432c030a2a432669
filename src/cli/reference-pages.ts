import { webhookEvents } from '../modules/notifications/dto/webhook-event.view.js';
import { errorCodes } from '../platform/errors/error-codes.js';
import { logEvents } from '../platform/logging/log-events.js';
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
force and where it came from, secrets hidden. Read again while it runs is only the password of the database, where its URL is in a file
or in Parameter Store ([operations](operations.md#a-new-password-for-the-database)).

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

/** docs/guides/log-events.md, from the catalogue that types the log. */
export function logEventsPage(): string {
  const sections = Object.entries(logEvents).map(([subject, events]) => {
    const rows = Object.entries(events).map(
      ([name, [levels, when]]) => `| \`${name}\` | ${[levels].flat().join(', ')} | ${when} |`,
    );
    return `## ${subject}\n\n| Event | Level | When |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${GENERATED}
# Log events

One JSON line per event on stdout, its stable name in \`event\`; Parley's own words for it stand in \`msg\`. There are no others:
the log takes only names and levels that stand here. Bodies of messages, tokens, statement values, addresses and query strings
are never logged.

Fields of every line: \`time\` (RFC 3339, UTC), \`level\` (\`debug\` to \`fatal\`), \`event\`, \`msg\`, \`replica\`, \`version\`. With
tracing on, lines written within a span also have \`trace_id\` and \`span_id\`. Durations are \`dur_ms\`. An error is \`err\` with
\`type\`, \`message\` and \`stack\`.

${sections.join('\n')}`;
}

interface OpenApi {
  paths: Record<string, Record<string, { operationId?: string; tags?: string[]; security?: unknown[] }>>;
}
interface Payload {
  type?: string;
  properties?: Record<string, unknown>;
  required?: string[];
  anyOf?: Payload[];
}
interface AsyncApi {
  components: { messages: Record<string, { name: string; summary?: string; payload: Payload }> };
}

/** The messages of one direction, in the order of the document. */
const messagesOf = (asyncapi: object, fromServer: boolean) =>
  Object.entries((asyncapi as AsyncApi).components.messages)
    .filter(([key]) => key.startsWith('server_') === fromServer)
    .map(([, message]) => message);

/** The fields of a payload; those that may be left out have a question mark. */
function fieldsOf({ type, properties, required = [], anyOf: [first] = [] }: Payload): string {
  if (first) return `${fieldsOf(first)}, one or a list`;
  const fields = Object.keys(properties ?? {}).map((name) => `\`${name}${required.includes(name) ? '' : '?'}\``);
  return fields.join(', ') || (type === 'object' ? 'a map' : 'a list');
}

/** docs/guides/events.md: what a client and a host application hear, from the schemas and tables that send it. */
export function eventsPage(asyncapi: object): string {
  const rows = (fromServer: boolean) =>
    messagesOf(asyncapi, fromServer).map(({ name, summary = '', payload }) =>
      fromServer
        ? `| \`${name}\` | ${cell(summary)} | ${fieldsOf(payload)} |`
        : `| \`${name}\` | ${fieldsOf(payload)} |`,
    );
  const webhooks = Object.entries(webhookEvents).map(
    ([type, [when, data]]) => `| \`${type}\` | ${when} | ${data.map((name) => `\`${name}\``).join(', ')} |`,
  );
  return `${GENERATED}
# Events

What is sent over the socket and to webhooks. The types of every field stand in [asyncapi.json](../asyncapi.json), which \`/docs/sockets\`
shows; how to use the events, in [sockets](sockets.md). What Parley logs is in [log events](log-events.md).

## From the server, on the socket

| Event | When | Carries |
|---|---|---|
${rows(true).join('\n')}

## To the server, on the socket

Commands; each is answered by an ack.

| Command | Carries |
|---|---|
${rows(false).join('\n')}

## Webhooks

\`POST /api/v1/admin/webhooks\` with \`url\` and \`events\` answers a \`secret\`, once. Each event is one POST: \`{"id", "type", "createdAt",
"apiVersion": "v1", "data"}\`. \`Parley-Signature\` is \`v1=\` and the hexadecimal HMAC-SHA-256, under the secret, of \`Parley-Timestamp\`, a dot
and the body: compare it, and refuse a timestamp that is minutes old. The same event comes again until the answer is 2xx, at
most ten times in 23 hours, with the same \`id\` (also in \`Parley-Event-Id\`): remember the ids. Order is not promised; \`rev\` orders.
An endpoint that answers 410, or fails for three days, is switched off.

| Type | When | \`data\` |
|---|---|---|
${webhooks.join('\n')}
`;
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
  const list = (fromServer: boolean) =>
    messagesOf(asyncapi, fromServer)
      .map(({ name, summary }) => `- ${name}${fromServer && summary ? `: ${summary}` : ''}`)
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
