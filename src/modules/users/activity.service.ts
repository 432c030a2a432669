import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { type ActivityKind, insertActivity, listActivity } from './activity.repository.js';
import { type ActivityView, toActivityView } from './dto/activity.view.js';
import { AccessAlarmed, type SecurityEvent } from './users.events.js';

const KIND = 'activity';
const alarming = ['refresh_reused', 'password_changed', 'password_reset'] as const satisfies ActivityKind[];
const isAlarming = (kind: ActivityKind): kind is (typeof alarming)[number] =>
  (alarming as readonly ActivityKind[]).includes(kind);

/** The security feed of an account: what happened to its access, for its owner to read. */
@Injectable()
export class ActivityService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly box: SecretBox,
  ) {}

  /** What the owner should know at once is also told as a notification. */
  async record(
    userId: string,
    kind: ActivityKind,
    about: { sessionId?: string | null; ip?: string },
    tx: Tx,
  ): Promise<void> {
    if (isAlarming(kind)) await this.alarm(userId, kind, about.sessionId ?? null, tx);
    await insertActivity(tx, {
      id: newId(),
      userId,
      kind,
      sessionId: about.sessionId ?? null,
      ipHash: this.hashIp(about.ip ?? ''),
    });
  }

  alarm(userId: string, event: SecurityEvent, sessionId: string | null, tx: Tx): Promise<void> {
    return this.events.publish(tx, new AccessAlarmed(userId, event, sessionId));
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
