import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { invalidState, notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page } from '../../platform/http/cursor.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { UsersService } from '../users/users.service.js';
import { ReportCreated } from './administration.events.js';
import { AuditService } from './audit.service.js';
import type { CreateReport, ReportQuery, ResolveReport } from './dto/report.dto.js';
import { type ReportView, toReportView } from './dto/report.view.js';
import * as reports from './reports.repository.js';

const LIST = 'admin.reports';
const idPosition = z.tuple([z.uuid()]);

/** Reports of messages and users: filed by anybody who sees them, closed once by a moderator. */
@Injectable()
export class ReportsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly audit: AuditService,
  ) {}

  /** @throws not_found for what the reporter cannot see */
  async file(actor: Actor, { messageId, userId, reason, note }: CreateReport): Promise<{ id: string; state: 'open' }> {
    if (messageId !== undefined) await this.requireVisible(actor, messageId);
    if (userId !== undefined) await this.users.requireUsers([userId]);
    const report = { reporterId: actor.userId, messageId: messageId ?? null, userId: userId ?? null, reason };
    const id = newId();
    await this.database.tx(async (tx) => {
      await reports.insertReport(tx, { id, ...report, note: note || null });
      await this.events.publish(tx, new ReportCreated(id, report));
    });
    return { id, state: 'open' };
  }

  /** @throws forbidden, invalid_cursor */
  async list(actor: Actor, { state, cursor, limit }: ReportQuery): Promise<Page<ReportView>> {
    requirePermission(actor, 'reports.read');
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, idPosition)[0];
    const rows = await reports.listReports(this.database, state, before, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: await Promise.all(shown.map((row) => this.view(row))),
      next: rows.length > limit && last ? encodeCursor(LIST, [last.id]) : null,
      prev: null,
    };
  }

  /** @throws forbidden, not_found, invalid_state (closed already) */
  async close(actor: Actor, id: string, { state, note }: ResolveReport, trace: RequestTrace): Promise<ReportView> {
    requirePermission(actor, 'reports.resolve');
    const row = await this.database.tx(async (tx) => {
      const closed = await reports.closeReport(tx, id, state, actor.userId);
      if (!closed) {
        if (await reports.findReport(tx, id)) throw invalidState('It was closed before');
        throw notFound();
      }
      const deed = { action: 'report.resolve', permission: 'reports.resolve', targetType: 'report' } as const;
      const [before, after] = [{ state: 'open' }, { state, note: note ?? null }];
      await this.audit.record(actor, { ...deed, targetId: id, before, after }, trace, tx);
      return closed;
    });
    return this.view(row);
  }

  private async view(row: reports.ReportRow): Promise<ReportView> {
    const message = row.messageId === null ? undefined : await this.messages.find(row.messageId);
    return toReportView(
      row,
      message ? { conversationId: message.conversationId, seq: message.seq, senderId: message.senderId } : null,
    );
  }

  private async requireVisible(actor: Actor, messageId: string): Promise<void> {
    const message = await this.messages.find(messageId);
    if (!message) throw notFound();
    const { visibleFromSeq } = await this.conversations.requireMember(actor, message.conversationId);
    if (message.seq < visibleFromSeq) throw notFound();
  }
}
