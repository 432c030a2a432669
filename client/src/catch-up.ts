import type { Connection } from './connection.js';
import { backoffMs, sleep, toParleyError } from './errors.js';
import type { ChangesAnswer, SyncAnswer, UserChangesAnswer } from './generated/contract.js';
import type { Ask, SyncCore } from './sync-core.js';

/** Carries the questions of the sync core to the server, as often as it takes, while the connection they belong to lives. */
export class CatchUp {
  /** Grows with each connection: what was asked on an earlier one is of no interest any more. */
  private round = 0;

  constructor(
    private readonly connection: Pick<Connection, 'request'>,
    private readonly core: SyncCore,
  ) {}

  /** Everything asked so far is void. */
  startOver(): void {
    this.round++;
  }

  async answer(ask: Ask): Promise<void> {
    const { round } = this;
    for (let attempt = 1; round === this.round; attempt++) {
      try {
        const answer = await this.question(ask);
        if (round !== this.round) return;
        if (ask.kind === 'sync') this.core.answeredSync(ask, answer as SyncAnswer);
        else if (ask.kind === 'changes') this.core.answeredChanges(ask, answer as ChangesAnswer);
        else this.core.answeredUser(ask, answer as UserChangesAnswer);
        return;
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (round !== this.round) return;
        // A refusal that repeats itself must not become a flood.
        if (error.retryable || error.status === 401 || error.code !== 'not_found')
          await sleep(backoffMs(attempt, error));
        if (error.retryable || error.status === 401) continue;
        if (round === this.round) this.core.refused(ask, error.code);
        return;
      }
    }
  }

  private question(ask: Ask): Promise<unknown> {
    if (ask.kind === 'sync') return this.connection.request('sync', ask.request);
    if (ask.kind === 'user') return this.connection.request('user.changes', { after: ask.after });
    return this.connection.request('changes', { c: ask.c, after: ask.after });
  }
}
