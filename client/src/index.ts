export type { HistoryPosition, Page, PageQuery } from './api.js';
export type { Content, Conversation, ConversationView, EditContent, ShownMessage } from './conversation.js';
export type { Receipt } from './conversation-state.js';
export { ParleyError, type Problem } from './errors.js';
export type * from './generated/contract.js';
export type { Conversation as ConversationRow } from './generated/contract.js';
export type { UploadOptions } from './media.js';
export type { Pending, SendState } from './outbox.js';
export {
  type KeyValueStorage,
  memoryStore,
  type OutboxStore,
  type OutboxStoreFactory,
  storageStore,
  type StoredSend,
} from './outbox-store.js';
export { Parley } from './parley.js';
export type { ParleyEvents, ParleyOptions, Status } from './parley-events.js';
export type * from './protocol.js';
