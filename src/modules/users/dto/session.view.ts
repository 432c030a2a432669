import { z } from 'zod';
import type { SessionRow } from '../sessions.repository.js';
import { selfView } from './user.view.js';

export const tokensView = z.object({
  accessToken: z.string(),
  /** Seconds. */
  expiresIn: z.number().int(),
  refreshToken: z.string(),
  refreshExpiresAt: z.iso.datetime(),
  sessionId: z.uuid(),
  deviceId: z.string(),
});
export type TokensView = z.output<typeof tokensView>;

export const authResultView = z.object({ user: selfView, tokens: tokensView });
export type AuthResultView = z.output<typeof authResultView>;

export const sessionView = z.object({
  id: z.uuid(),
  kind: z.enum(['builtin', 'external']),
  deviceId: z.string(),
  name: z.string().nullable(),
  platform: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
  /** Whether the request came by this session. */
  current: z.boolean(),
});
export type SessionView = z.output<typeof sessionView>;

export const toSessionView = (row: SessionRow, currentId: string): SessionView => ({
  id: row.id,
  kind: row.kind,
  deviceId: row.deviceId,
  name: row.name,
  platform: row.platform,
  createdAt: row.createdAt.toISOString(),
  lastUsedAt: row.lastUsedAt.toISOString(),
  current: row.id === currentId,
});
