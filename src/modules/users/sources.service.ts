import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/database/db.js';
import type { Presence } from './dto/user.view.js';

/** Presence of users as a viewer may know it; absent ids are hidden. */
export type PresenceSource = (viewerId: string, ids: readonly string[]) => Promise<Map<string, Presence>>;
/** Makes a file the avatar of its owner. @throws when it is not theirs or not an image */
export type AvatarBinder = (userId: string, mediaId: string, tx: Tx) => Promise<void>;
/** Rows of one module for the archive of a user's data; each becomes a line `{type, ...}`. */
export type ExportSource = (userId: string) => AsyncIterable<{ type: string } & Record<string, unknown>>;
/** Throws when an account must be neither deleted nor shut out. */
export type DeletionGuard = (userId: string, tx: Tx) => Promise<void>;

/** Questions that modules above answer; they register in `onModuleInit`, through UsersService. */
@Injectable()
export class UserSources {
  presence: PresenceSource = async () => new Map();
  avatars: AvatarBinder | undefined;
  readonly exports: ExportSource[] = [];
  readonly deletionGuards: DeletionGuard[] = [];
}
