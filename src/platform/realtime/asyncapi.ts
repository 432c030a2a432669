import { z } from 'zod';
import type { Command } from './command-registry.js';
import { NAMESPACE } from './protocol.js';
import { serverEvents } from './server-events.js';

/** Any JSON value is the one recursive schema; zod would define it anew in each payload, where nothing can refer to it. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const {
    $schema: _dialect,
    $defs: _recursive,
    ...rest
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  });
  return JSON.parse(JSON.stringify(rest).replaceAll('#/$defs/__schema0', '#/components/schemas/Json')) as object;
}

const anyJson = {
  description: 'Any JSON value',
  type: ['string', 'number', 'boolean', 'null', 'array', 'object'],
};

const messageName = (event: string): string => event.replaceAll('.', '_');

interface Operation {
  action: 'send' | 'receive';
  channel: { $ref: string };
  messages: { $ref: string }[];
  summary?: string;
}

/**
 * The AsyncAPI 3.0 document of the socket: what a client sends comes from the commands and the schemas that check them,
 * what it receives from `serverEvents`. Seen from the server, as AsyncAPI wants it: it receives commands and sends events.
 */
export function createAsyncApi(commands: readonly Command[], version: string): object {
  const sorted = commands.toSorted((a, b) => (a.event < b.event ? -1 : 1));
  const messages = Object.fromEntries([
    ...sorted.map(({ event, schema }) => [
      messageName(event),
      {
        name: event,
        title: event,
        summary: 'Answered by an ack',
        payload: jsonSchema(schema, 'input'),
        'x-ack': { $ref: '#/components/schemas/Ack' },
      },
    ]),
    ...serverEvents.map(({ event, summary, payload }) => [
      `server_${messageName(event)}`,
      { name: event, title: event, summary, payload: jsonSchema(payload, 'output') },
    ]),
  ]) as Record<string, object>;
  const operation = (action: Operation['action'], name: string, summary?: string): Operation => ({
    action,
    channel: { $ref: '#/channels/v1' },
    messages: [{ $ref: `#/channels/v1/messages/${name}` }],
    ...(summary ? { summary } : {}),
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parley sockets',
      version,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      description: 'Socket.IO 4, transport websocket. Handshake: auth {token, deviceId, protocol: 1}.',
    },
    servers: { installation: { host: 'localhost:3000', pathname: '/socket.io/', protocol: 'wss' } },
    channels: {
      v1: {
        address: NAMESPACE,
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations: Object.fromEntries([
      ...sorted.map(({ event }) => [messageName(event), operation('receive', messageName(event))]),
      ...serverEvents.map(({ event, summary }) => [
        `server_${messageName(event)}`,
        operation('send', `server_${messageName(event)}`, summary),
      ]),
    ]),
    components: {
      messages,
      schemas: {
        Json: anyJson,
        Ack: {
          description: 'The same problem object as REST in `error`',
          oneOf: [
            { type: 'object', required: ['ok', 'data'], properties: { ok: { const: true }, data: {} } },
            {
              type: 'object',
              required: ['ok', 'error'],
              properties: { ok: { const: false }, error: { type: 'object' } },
            },
          ],
        },
      },
    },
  };
}
