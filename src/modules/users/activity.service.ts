import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { type ActivityKind, insertActivity, listActivity } from './activity.repository.js';
import { type ActivityView, toActivityView } from './dto/activity.view.js';

const KIND = 'activity';

/** The security feed of an account: what happened to its access, for its owner to read. */
@Injectable()
export class ActivityService {
  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
  ) {}

  async record(
    userId: string,
    kind: ActivityKind,
    about: { sessionId?: string | null; ip?: string },
    db: Db,
  ): Promise<void> {
    await insertActivity(db, {
      id: newId(),
      userId,
      kind,
      sessionId: about.sessionId ?? null,
      ipHash: this.hashIp(about.ip ?? ''),
    });
  }

  async list(actor: Actor, { cursor, limit }: PageQuery): Promise<Page<ActivityView>> {
    const before = cursor === undefined ? null : decodeCursor(KIND, cursor, z.tuple([z.uuid()]))[0];
    const rows = await listActivity(this.database, actor.userId, before, limit + 1);
    return toPage(rows, limit, toActivityView, ({ id }) => encodeCursor(KIND, [id]));
  }

  /** Addresses are stored so that equal ones can be recognised and none can be read. */
  hashIp(ip: string): string {
    return this.box.sign('ip', ip).slice(0, 22);
  }
}
