import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import type { ActorActedPayload } from '../../platform/auth/auth.events.js';
import type { Permission } from '../../platform/auth/permissions.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId, now } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Log } from '../../platform/logging/log.js';
import * as audit from './audit.repository.js';
import { type AuditFacts, BROKEN, chainText, GENESIS, headText, idAfter, redact } from './audit.rules.js';
import type { AuditAnchor, AuditQuery } from './dto/audit.dto.js';
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

/**
 * The audit log: who used which permission on what. It only grows; each entry vouches for the one before it, and a sealed
 * head for the last, by keys that the database does not have.
 */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
    private readonly log: Log,
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

  /** What the log is now compared with what was written; with an anchor, also with a line of the server's log. */
  verify(actor: Actor, anchor: AuditAnchor): Promise<AuditVerdict> {
    requirePermission(actor, 'audit.read');
    return this.database.snapshot((db) => this.walk(db, anchor));
  }

  private async walk(db: Db, { entries: anchoredAt, hash: anchored }: AuditAnchor): Promise<AuditVerdict> {
    const head = await audit.findHead(db);
    const sealed = head === undefined ? null : { entries: head.entries, hash: head.hash };
    const verdict = (fault: AuditVerdict['fault'], checked: number, brokenAt: string | null = null): AuditVerdict => ({
      ok: fault === null,
      checked,
      brokenAt,
      fault,
      head: sealed,
    });
    let [after, hash, checked] = [FIRST_ID, GENESIS, 0];
    for (;;) {
      const rows = await audit.walkEntries(db, after, PAGE);
      for (const row of rows) {
        if (row.prevHash !== hash || row.hash !== this.sign(hash, row)) return verdict('entry', checked, row.id);
        [after, hash] = [row.id, row.hash];
        checked += 1;
        if (checked === anchoredAt && hash !== anchored) return verdict('anchor', checked, row.id);
      }
      if (rows.length < PAGE) break;
    }
    if (head ? !this.isSealed(head) || head.entries !== checked || head.hash !== hash : checked > 0)
      return verdict('end', checked);
    return verdict(anchoredAt !== undefined && checked < anchoredAt ? 'anchor' : null, checked);
  }

  /** `known` is asked under the lock of the chain. */
  private async append(
    facts: Omit<AuditFacts, 'id' | 'at'>,
    tx: Tx,
    known: () => Promise<boolean> = async () => false,
  ): Promise<void> {
    await audit.lockLog(tx);
    if (await known()) return;
    const [head, last] = [await audit.findHead(tx), await audit.lastId(tx)];
    const entry: AuditFacts = { ...facts, id: idAfter(last, newId()), at: now() };
    // The new entry follows what was written, not what is there: whatever was cut off or forged stays missing for ever.
    const intact = head ? this.isSealed(head) : last === null;
    const prevHash = intact ? (head?.hash ?? GENESIS) : BROKEN;
    if (!intact) this.log.error('audit.end_forged', { entries: head?.entries ?? null });
    const hash = this.sign(prevHash, entry);
    const entries = (head?.entries ?? 0) + 1;
    await audit.insertEntry(tx, { ...entry, prevHash, hash });
    await audit.setHead(tx, { entries, hash, seal: this.box.sign('audit-head', headText(entries, hash)) });
    // Whoever rewrites the database does not rewrite the lines that have left the machine.
    const { action, permission, requestId } = entry;
    tx.afterCommit(() => this.log.info('audit.recorded', { action, permission, requestId, entries, hash }));
  }

  private sign(prevHash: string, facts: AuditFacts): string {
    return this.box.sign('audit', chainText(prevHash, facts));
  }

  private isSealed({ entries, hash, seal }: audit.AuditHead): boolean {
    return seal === this.box.sign('audit-head', headText(entries, hash));
  }

  private hashIp(ip: string): string {
    return ip === '' ? '' : this.box.sign('ip', ip).slice(0, 22);
  }
}
