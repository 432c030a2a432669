import { Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import type { Actor } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError, notFound } from '../../platform/errors/domain-error.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { ActivityService } from './activity.service.js';
import type { ExportView } from './dto/erasure.dto.js';
import { exportRows, type ExportRow, findExport, insertExport } from './exports.repository.js';
import { UserSources } from './sources.service.js';

const HOURS = 24;

/**
 * A person's data as newline-delimited JSON. Nothing is collected in advance: the archive is read from the tables while
 * it is downloaded, so no second copy of it lies anywhere.
 */
@Injectable()
export class ExportsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly activity: ActivityService,
    private readonly sources: UserSources,
    private readonly box: SecretBox,
  ) {}

  async request(actor: Actor, origin: RequestOrigin): Promise<ExportView> {
    const row = await this.database.tx(async (tx) => {
      await this.activity.record(actor.userId, 'export_requested', { sessionId: actor.sessionId, ip: origin.ip }, tx);
      return insertExport(tx, newId(), actor.userId, HOURS);
    });
    return this.view(row);
  }

  /** @throws not_found */
  async get(actor: Actor, id: string): Promise<ExportView> {
    const row = await findExport(this.database, id);
    if (!row || row.userId !== actor.userId) throw notFound();
    return this.view(row);
  }

  /** The lines of an archive, for whoever holds its link. @throws signature_invalid */
  async open(id: string, signature: string): Promise<AsyncIterable<string>> {
    const row = await findExport(this.database, id);
    const right = Buffer.from(this.sign(id, row?.userId ?? ''));
    const given = Buffer.from(signature);
    if (!row || row.expired || given.length !== right.length || !timingSafeEqual(given, right)) {
      throw new DomainError('signature_invalid');
    }
    return this.lines(row.userId);
  }

  private async *lines(userId: string): AsyncGenerator<string> {
    for (const { type, row } of await exportRows(this.database, userId)) yield `${JSON.stringify({ type, ...row })}\n`;
    for (const source of this.sources.exports) {
      for await (const row of source(userId)) yield `${JSON.stringify(row)}\n`;
    }
  }

  private view(row: ExportRow): ExportView {
    const path = `/api/v1/users/exports/${row.id}/archive?signature=${this.sign(row.id, row.userId)}`;
    return {
      id: row.id,
      state: row.state,
      url: row.expired ? null : path,
      expiresAt: row.expiresAt.toISOString(),
    };
  }

  private sign(id: string, userId: string): string {
    return this.box.sign('export', `${id}.${userId}`);
  }
}
