import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SecretBox } from '../auth/secret-box.js';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { DomainError, type ErrorDetails } from '../errors/domain-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { BackgroundWork } from '../lifecycle/background-work.js';

/** Who asks for what, under which key, with which body. */
export interface IdempotencyClaim {
  scope: string;
  route: string;
  key: string;
  bodyHash: string;
}

/** How the first request ended: with a body, or refused. */
export type StoredAnswer =
  { status: number; body: unknown } | { status: number; code: ErrorCode; details: ErrorDetails };

interface Row extends Record<string, unknown> {
  bodyHash: string;
  state: 'running' | 'done';
  response: { sealed: string } | null;
}

const PURPOSE = 'idempotency';
const HOUR_MS = 3_600_000;

/** The answers behind `Idempotency-Key`, kept sealed: some of them hold tokens. */
@Injectable()
export class IdempotencyKeys implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
    private readonly background: BackgroundWork,
  ) {}

  onModuleInit(): void {
    this.background.registerJob({
      name: 'idempotency.purge',
      every: HOUR_MS,
      run: () => this.database.execute(sql`DELETE FROM idempotency_keys WHERE expires_at < now()`),
    });
  }

  /**
   * Answers the stored result, or undefined when the caller is the first and is to go on. A first request whose process
   * died is taken over after a minute.
   * @throws idempotency_in_progress, idempotency_key_mismatch
   */
  async claim({ scope, route, key, bodyHash }: IdempotencyClaim): Promise<StoredAnswer | undefined> {
    const claimed = await this.database.execute(sql`
      INSERT INTO idempotency_keys AS k (scope, route, key, body_hash, state, expires_at)
      VALUES (${scope}, ${route}, ${key}, ${bodyHash}, 'running', now() + interval '1 minute')
      ON CONFLICT (scope, route, key) DO UPDATE
        SET body_hash = excluded.body_hash, state = 'running', status = NULL, response = NULL, expires_at = excluded.expires_at
        WHERE k.expires_at < now()`);
    if (claimed > 0) return undefined;
    const [row] = await this.database.query<Row>(sql`
      SELECT body_hash AS "bodyHash", state, response FROM idempotency_keys
      WHERE scope = ${scope} AND route = ${route} AND key = ${key}`);
    if (row && row.bodyHash !== bodyHash) throw new DomainError('idempotency_key_mismatch');
    if (!row?.response) throw new DomainError('idempotency_in_progress', { retryAfterMs: 1000 });
    return JSON.parse(this.box.open(PURPOSE, row.response.sealed)) as StoredAnswer;
  }

  async store({ scope, route, key }: IdempotencyClaim, answer: StoredAnswer): Promise<void> {
    const sealed = JSON.stringify({ sealed: this.box.seal(PURPOSE, JSON.stringify(answer)) });
    await this.database.execute(sql`
      UPDATE idempotency_keys
      SET state = 'done', status = ${answer.status}, response = ${sealed}::jsonb, expires_at = now() + interval '24 hours'
      WHERE scope = ${scope} AND route = ${route} AND key = ${key}`);
  }

  async release({ scope, route, key }: IdempotencyClaim): Promise<void> {
    await this.database.execute(
      sql`DELETE FROM idempotency_keys WHERE scope = ${scope} AND route = ${route} AND key = ${key}`,
    );
  }
}
