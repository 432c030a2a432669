import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Log } from '../../platform/logging/log.js';
import { Leader, type Term } from '../../platform/queue/leader.js';
import { PresenceMoved } from './presence.events.js';
import { cleanUp } from './presence.repository.js';

const IDS_PER_HINT = 100;

/**
 * Brings the stored marks in line with what is derived from leases anyway: it is for readers of the tables and keeps them
 * small. Nobody's shown presence depends on when it runs.
 */
@Injectable()
export class PresenceCleanup implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly leader: Leader,
    private readonly events: EventsService,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.leader.register({
      name: 'presence.cleanup',
      every: '0 * * * * *',
      periodMs: 60_000,
      run: (term) => this.run(term),
    });
  }

  /** How many entries of dead replicas went, and how many users are offline now. Never rejects. */
  async run({ holds }: Pick<Term, 'holds'>): Promise<{ entries: number; users: number }> {
    try {
      const { entries, users } = await cleanUp(this.database, {
        term: holds,
        leaseSeconds: this.config.PRESENCE_LEASE_TTL,
        staleSeconds: this.config.PRESENCE_STALE_AFTER,
      });
      for (let i = 0; i < users.length; i += IDS_PER_HINT)
        this.events.hint(new PresenceMoved(users.slice(i, i + IDS_PER_HINT)));
      this.log.info('presence.cleanup', { entries, users: users.length });
      return { entries, users: users.length };
    } catch (error) {
      this.log.error('presence.cleanup_failed', { err: error });
      return { entries: 0, users: 0 };
    }
  }
}
