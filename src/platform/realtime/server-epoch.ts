import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';

/** The database's identity. It changes when an operator declares after a lossy restore that positions mean nothing any more. */
@Injectable()
export class ServerEpoch implements OnModuleInit {
  current = '';

  constructor(private readonly database: DatabaseService) {}

  async onModuleInit(): Promise<void> {
    this.current = await this.read();
  }

  /** Reads it anew; true when it has changed. */
  async refresh(): Promise<boolean> {
    const epoch = await this.read();
    const changed = epoch !== this.current;
    this.current = epoch;
    return changed;
  }

  /** Another identity, for an operator who knows that acknowledged writes were lost. Replicas notice within 5 s. */
  async bump(reason: string): Promise<string> {
    const [row] = await this.database.query<{ epoch: string }>(
      sql`UPDATE server_epoch SET epoch = gen_random_uuid(), reason = ${reason}, changed_at = now() WHERE id = 1 RETURNING epoch`,
    );
    return row?.epoch ?? '';
  }

  private async read(): Promise<string> {
    const [row] = await this.database.query<{ epoch: string }>(sql`SELECT epoch FROM server_epoch WHERE id = 1`);
    return row?.epoch ?? '';
  }
}
