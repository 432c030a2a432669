import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import type { ActorActedPayload } from '../../platform/auth/auth.events.js';
import type { Permission } from '../../platform/auth/permissions.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId, now } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import * as audit from './audit.repository.js';
import { type AuditFacts, chainHash, GENESIS, idAfter, redact } from './audit.rules.js';
import type { AuditQuery } from './dto/audit.dto.js';
import { type AuditView, type AuditVerdict, toAuditView } from './dto/audit.view.js';

/** One privileged action, as the service that did it describes it. Snapshots are redacted here. */
export interface Deed {
  action: string;
  permission: Permission | 'setup';
  targetType: string;
  targetId: string | null;
  before?: Record<string, unknown> | null | undefined;
  after?: Record<string, unknown> | null | undefined;
}

const LIST = 'admin.audit';
const PAGE = 1000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const idPosition = z.tuple([z.uuid()]);

/** The audit log: who used which permission on what. It only grows, and each entry vouches for the one before it. */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
  ) {}

  /** Writes an entry, in the transaction of the change where there is one. */
  async record(actor: Actor | null, deed: Deed, trace: RequestTrace, tx?: Tx): Promise<void> {
    const facts = {
      actorId: actor === null || actor.system !== null ? null : actor.userId,
      action: deed.action,
      permission: deed.permission,
      targetType: deed.targetType,
      targetId: deed.targetId,
      before: redact(deed.before),
      after: redact(deed.after),
      requestId: trace.requestId,
      ipHash: this.hashIp(trace.ip),
    };
    if (tx) await this.append(facts, tx);
    else await this.database.tx((own) => this.append(facts, own));
  }

  /** What another module did, delivered at least once; its event id stands for the request where there was none. */
  async keep(eventId: string, payload: ActorActedPayload): Promise<void> {
    await this.database.tx(async (tx) => {
      const requestId = payload.requestId || eventId;
      const dayAgo = new Date(now().getTime() - 86_400_000);
      const { before, after } = { before: redact(payload.before), after: redact(payload.after) };
      await this.append({ ...payload, before, after, requestId }, tx, () =>
        audit.wasWritten(tx, requestId, payload.action, dayAgo),
      );
    });
  }

  /** @throws forbidden, invalid_cursor */
  async list(actor: Actor, { cursor, limit, ...filter }: AuditQuery): Promise<Page<AuditView>> {
    requirePermission(actor, 'audit.read');
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, idPosition)[0];
    const rows = await audit.listEntries(this.database, filter, before, limit + 1);
    return toPage(rows, limit, toAuditView, ({ id }) => encodeCursor(LIST, [id]));
  }

  /** Every entry that passes the filter, the newest first, page by page. */
  async *export(actor: Actor, filter: audit.AuditFilter): AsyncIterable<AuditView> {
    requirePermission(actor, 'audit.read');
    let before: string | null = null;
    for (;;) {
      const rows: audit.AuditRow[] = await audit.listEntries(this.database, filter, before, PAGE);
      yield* rows.map(toAuditView);
      before = rows.at(-1)?.id ?? null;
      if (rows.length < PAGE) return;
    }
  }

  /** Walks the chain; `brokenAt` is the first entry that is not what was written, or follows one that is missing. */
  async verify(actor: Actor): Promise<AuditVerdict> {
    requirePermission(actor, 'audit.read');
    let [after, hash, checked] = [FIRST_ID, GENESIS, 0];
    for (;;) {
      const rows = await audit.walkEntries(this.database, after, PAGE);
      for (const row of rows) {
        if (row.prevHash !== hash || row.hash !== chainHash(hash, row)) return { ok: false, checked, brokenAt: row.id };
        [after, hash] = [row.id, row.hash];
        checked += 1;
      }
      if (rows.length < PAGE) return { ok: true, checked, brokenAt: null };
    }
  }

  /** `known` is asked under the lock of the chain. */
  private async append(
    facts: Omit<AuditFacts, 'id' | 'at'>,
    tx: Tx,
    known: () => Promise<boolean> = async () => false,
  ): Promise<void> {
    const end = await audit.lockEnd(tx);
    if (await known()) return;
    const entry: AuditFacts = { ...facts, id: idAfter(end.id, newId()), at: now() };
    const prevHash = end.hash ?? GENESIS;
    await audit.insertEntry(tx, { ...entry, prevHash, hash: chainHash(prevHash, entry) });
  }

  private hashIp(ip: string): string {
    return ip === '' ? '' : this.box.sign('ip', ip).slice(0, 22);
  }
}
