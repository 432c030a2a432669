import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

export const GATEWAY = 'parley:gateway';
export const COMMAND = 'parley:command';

/** One socket event a client may send. */
export interface CommandOptions {
  event: string;
  schema: z.ZodType;
}

/**
 * Marks a class whose methods answer socket events. In place of Nest's decorator, which subscribes every handler on
 * every socket: our dispatcher has one listener per socket, checks the schema, sets the deadline and turns every outcome
 * into an ack (ADR 0004).
 */
export const Gateway = () => applyDecorators(Injectable(), SetMetadata(GATEWAY, true));

/** A method `(client: SocketClient, input) => answer` of a gateway; the answer is the ack's `data`. */
export const Command = <Schema extends z.ZodType>(event: string, schema: Schema) =>
  SetMetadata(COMMAND, { event, schema } satisfies CommandOptions);
