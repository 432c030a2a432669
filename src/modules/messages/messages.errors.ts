import { DomainError, invalidState, notFound } from '../../platform/errors/domain-error.js';

export const idempotencyMismatch = () => new DomainError('idempotency_mismatch');
export const messageDeleted = () => new DomainError('message_deleted');
export const staleRev = () => new DomainError('stale_rev');
export const editWindowClosed = () => new DomainError('edit_window_closed');
export const messageRejected = () => new DomainError('message_rejected');
export const roleInsufficient = (detail: string) => new DomainError('role_insufficient', { detail });
export const limitExceeded = (limit: string, max: number) =>
  new DomainError('limit_exceeded', { limit, max, detail: `At most ${max} ${limit}` });
export const aheadOfServer = () => new DomainError('ahead_of_server');
export const slowMode = (retryAfterMs: number) =>
  new DomainError('rate_limited', { rule: 'slow_mode', retryAfterMs, detail: 'This conversation is in slow mode' });
export const mediaUnusable = () => invalidState('An attachment does not exist, is not yours or cannot be used');
export const threadLocked = () => invalidState('The thread is locked');
export const noSuchThread = () => new DomainError('not_found', { detail: 'No such thread in this conversation' });
export const noSuchReply = () => new DomainError('not_found', { detail: 'The message replied to does not exist' });
export const overloadedConversation = () => new DomainError('overloaded', { scope: 'conversation' });
export { notFound };
