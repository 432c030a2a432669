import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { UsersService } from '../users/users.service.js';
import { decisionLines, deviceLines, noticeLines } from './personal-data.repository.js';

/** What notifications keeps about a person, for the archive of their data. */
@Injectable()
export class PersonalDataService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
  ) {}

  onModuleInit(): void {
    this.users.addExportSource((userId) => this.lines(userId));
  }

  private async *lines(userId: string): AsyncGenerator<{ type: string } & Record<string, unknown>> {
    yield* await deviceLines(this.database, userId);
    yield* noticeLines(this.database, userId);
    yield* decisionLines(this.database, userId);
  }
}
