import type {
  AddMembersAnswer,
  AuthSession,
  ConversationDetail,
  CreateConversation,
  CreateInvite,
  CreateScheduled,
  Draft,
  History,
  Invite,
  InvitePreview,
  Joined,
  Me,
  Media,
  MediaLink,
  Member,
  NewInvite,
  Preferences,
  PublicChannel,
  PutDraft,
  Scheduled,
  SearchHit,
  Self,
  ThreadDetail,
  UnreadExplanation,
  UnreadTotals,
  UpdateConversation,
  UpdateMe,
  UpdateProfile,
  User,
} from './generated/contract.js';
import { upload, type UploadOptions } from './media.js';
import type { Rest } from './rest.js';

/** A page of a list; `next` asks for the one after it. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
  prev: string | null;
}
export interface PageQuery {
  cursor?: string;
  limit?: number;
}
export interface HistoryPosition {
  before?: number;
  after?: number;
  around?: number;
  threadId?: string;
  limit?: number;
}

const query = (fields: object) => fields as Record<string, string | number | boolean | undefined>;
/** Replaces whatever is there; who must not overwrite another's edit uses `Parley.rest` with an ETag. */
const overwrite = { headers: { 'If-Match': '*' } };

/** The REST calls an application needs most, by name. Everything else: `Parley.rest`. */
export class Api {
  constructor(private readonly rest: Rest) {}

  me = () => this.rest.get<Self>('/users/me');
  updateProfile = (profile: UpdateProfile) => this.rest.patch<Self>('/users/me', profile, overwrite);
  preferences = () => this.rest.get<Preferences>('/users/me/preferences');
  savePreferences = (preferences: Preferences) =>
    this.rest.put<Preferences>('/users/me/preferences', preferences, overwrite);
  authSessions = () => this.rest.get<Page<AuthSession>>('/auth/sessions');

  user = (id: string) => this.rest.get<User>(`/users/${id}`);
  /** Up to 100 at once. */
  users = (ids: string[]) => this.rest.get<Page<User>>('/users', { ids: ids.join(',') });
  findUsers = (text: string, page: PageQuery = {}) =>
    this.rest.get<Page<User>>('/users', query({ query: text, ...page }));
  addContact = (userId: string) => this.rest.put<void>(`/users/me/contacts/${userId}`);
  removeContact = (userId: string) => this.rest.delete(`/users/me/contacts/${userId}`);
  contacts = (page: PageQuery = {}) => this.rest.get<Page<User>>('/users/me/contacts', query(page));
  block = (userId: string) => this.rest.put<void>(`/users/me/blocks/${userId}`);
  unblock = (userId: string) => this.rest.delete(`/users/me/blocks/${userId}`);
  blocks = (page: PageQuery = {}) => this.rest.get<Page<User>>('/users/me/blocks', query(page));

  createConversation = (input: CreateConversation) => this.rest.post<ConversationDetail>('/conversations', input);
  conversation = (id: string) => this.rest.get<ConversationDetail>(`/conversations/${id}`);
  conversations = (page: PageQuery & { filter?: 'active' | 'archived' | 'unread' } = {}) =>
    this.rest.get<Page<ConversationDetail>>('/conversations', query(page));
  discover = (text = '', page: PageQuery = {}) =>
    this.rest.get<Page<PublicChannel>>('/conversations/discover', query({ query: text, ...page }));
  updateConversation = (id: string, input: UpdateConversation) =>
    this.rest.patch<ConversationDetail>(`/conversations/${id}`, input, overwrite);
  deleteConversation = (id: string) => this.rest.delete(`/conversations/${id}`);
  join = (id: string) => this.rest.post<Joined>(`/conversations/${id}/join`);
  leave = (id: string) => this.rest.delete(`/conversations/${id}/members/me`);

  members = (id: string, page: PageQuery = {}) =>
    this.rest.get<Page<Member> & { count: number }>(`/conversations/${id}/members`, query(page));
  addMembers = (id: string, userIds: string[]) =>
    this.rest.post<AddMembersAnswer>(`/conversations/${id}/members`, { userIds });
  changeRole = (id: string, userId: string, role: Member['role']) =>
    this.rest.patch<Member>(`/conversations/${id}/members/${userId}`, { role });
  removeMember = (id: string, userId: string) => this.rest.delete(`/conversations/${id}/members/${userId}`);
  /** Mute, pin, archive, notification level: for oneself. */
  updateMembership = (id: string, input: UpdateMe) => this.rest.patch<Me>(`/conversations/${id}/me`, input);
  explainUnread = (id: string) => this.rest.get<UnreadExplanation>(`/conversations/${id}/unread`);
  unread = () => this.rest.get<UnreadTotals>('/unread');

  createInvite = (id: string, input: CreateInvite = {}) =>
    this.rest.post<NewInvite>(`/conversations/${id}/invites`, input);
  invites = (id: string) => this.rest.get<Page<Invite>>(`/conversations/${id}/invites`);
  revokeInvite = (id: string, inviteId: string) => this.rest.delete(`/conversations/${id}/invites/${inviteId}`);
  previewInvite = (code: string) => this.rest.get<InvitePreview>(`/invites/${code}`);
  acceptInvite = (code: string) => this.rest.post<Joined>(`/invites/${code}/accept`);

  history = (id: string, position: HistoryPosition = {}) =>
    this.rest.get<History>(`/conversations/${id}/messages`, query(position));
  search = (text: string, filter: PageQuery & { conversationId?: string; senderId?: string } = {}) =>
    this.rest.get<Page<SearchHit>>('/search/messages', query({ q: text, ...filter }));
  pin = (id: string, seq: number) => this.rest.put<void>(`/conversations/${id}/messages/${seq}/pin`);
  unpin = (id: string, seq: number) => this.rest.delete(`/conversations/${id}/messages/${seq}/pin`);
  saveDraft = (id: string, draft: PutDraft) => this.rest.put<Draft>(`/conversations/${id}/draft`, draft);
  deleteDraft = (id: string) => this.rest.delete(`/conversations/${id}/draft`);
  schedule = (input: CreateScheduled) => this.rest.post<Scheduled>('/scheduled-messages', input);
  scheduled = () => this.rest.get<Page<Scheduled>>('/scheduled-messages');
  cancelScheduled = (id: string) => this.rest.delete(`/scheduled-messages/${id}`);

  /** A new thread below a message, or the one it has. */
  thread = (id: string, rootSeq: number, title?: string) =>
    this.rest.post<ThreadDetail>(`/conversations/${id}/threads`, {
      rootSeq,
      ...(title === undefined ? {} : { title }),
    });
  threads = (id: string, page: PageQuery = {}) =>
    this.rest.get<Page<ThreadDetail>>(`/conversations/${id}/threads`, query(page));
  threadMessages = (threadId: string, position: Pick<HistoryPosition, 'before' | 'after' | 'limit'> = {}) =>
    this.rest.get<History>(`/threads/${threadId}/messages`, query(position));

  upload = (file: Blob & { name?: string }, options?: UploadOptions): Promise<Media> =>
    upload(this.rest, file, options);
  media = (id: string) => this.rest.get<Media>(`/media/${id}`);
  /** An address that an `<img>` can load for a while. */
  mediaUrl = (id: string, variant: 'original' | 'thumb' | 'medium' = 'original') =>
    this.rest.get<MediaLink>(`/media/${id}/url`, { variant });
}
