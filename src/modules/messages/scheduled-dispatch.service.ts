import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { translateError } from '../../platform/errors/translate-error.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Log } from '../../platform/logging/log.js';
import { UsersService } from '../users/users.service.js';
import { MessagesService } from './messages.service.js';
import { advanceUser, lockDue, type ScheduledRow, updateScheduled } from './scheduled.repository.js';
import { ScheduledService } from './scheduled.service.js';

const EVERY_MS = 1000;

type Outcome = { state: 'sent'; messageId: string } | { state: 'failed'; failureCode: string };

/**
 * Sends scheduled messages when their time has come, however late. A row is locked while it is sent, so other replicas
 * pass it over and its author waits; a process that dies in between leaves it pending, and the next attempt finds the
 * stored message by the row's clientId. So each is sent once (docs/adr/0010).
 */
@Injectable()
export class ScheduledDispatch implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly messages: MessagesService,
    private readonly users: UsersService,
    private readonly scheduled: ScheduledService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.background.registerJob({ name: 'scheduled.dispatch', every: EVERY_MS, run: (signal) => this.run(signal) });
  }

  /** Sends all that is due. A row that cannot be sent now stays for the next run and holds up no other. */
  async run(signal: AbortSignal): Promise<void> {
    const postponed: string[] = [];
    while (!signal.aborted && (await this.next(postponed)));
  }

  /** False when nothing is left to do. */
  private async next(postponed: string[]): Promise<boolean> {
    return this.database.tx(async (tx) => {
      const row = await lockDue(tx, postponed);
      if (!row) return false;
      const outcome = await this.attempt(row);
      if (!outcome) {
        postponed.push(row.id);
        return true;
      }
      const rev = await advanceUser(tx, row.userId);
      this.scheduled.tell(
        await updateScheduled(tx, row.id, { ...row, failureCode: null, messageId: null, ...outcome, rev }),
        tx,
      );
      return true;
    });
  }

  /** Undefined when another attempt may succeed. Never throws: what a row contains must not stop the others. */
  private async attempt(row: ScheduledRow): Promise<Outcome | undefined> {
    try {
      const [author] = await this.users.findMany([row.userId]);
      if (author?.state !== 'active') throw new DomainError('account_suspended');
      const actor = new Actor(row.userId, row.id, '', new Set(), [], Infinity);
      const { message } = await this.messages.send(actor, {
        ...row.payload,
        c: row.conversationId,
        clientId: row.clientId,
        markRead: false,
      });
      return { state: 'sent', messageId: message.id };
    } catch (error) {
      const { code, status } = translateError(error);
      if (status === 503 || status === 429) return undefined;
      this.log.warn('scheduled.failed', { id: row.id, code });
      return { state: 'failed', failureCode: code };
    }
  }
}
