import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import type { LoadReportInput, LoadReportQuery } from './dto/load-report.dto.js';
import { type LoadReportView, toLoadReportView } from './dto/load-report.view.js';
import { findLoadReport, insertLoadReport, listLoadReports } from './load-reports.repository.js';

const KIND = 'load-reports';

/** What load tests found, kept for comparison. Nothing removes or changes a report. */
@Injectable()
export class LoadReportsService {
  constructor(private readonly database: DatabaseService) {}

  async create(actor: Actor, input: LoadReportInput): Promise<LoadReportView> {
    requirePermission(actor, 'health.write');
    const { startedAt, finishedAt } = input;
    const [row] = await insertLoadReport(this.database, {
      ...input,
      id: newId(),
      startedAt: new Date(startedAt),
      finishedAt: new Date(finishedAt),
      createdBy: actor.userId,
    });
    if (!row) throw notFound();
    return toLoadReportView(row);
  }

  async get(actor: Actor, id: string): Promise<LoadReportView> {
    requirePermission(actor, 'health.read');
    const [row] = await findLoadReport(this.database, id);
    if (!row) throw notFound();
    return toLoadReportView(row);
  }

  async list(actor: Actor, { cursor, limit, scenario }: LoadReportQuery): Promise<Page<LoadReportView>> {
    requirePermission(actor, 'health.read');
    const before = cursor === undefined ? null : decodeCursor(KIND, cursor, z.tuple([z.uuid()]))[0];
    const rows = await listLoadReports(this.database, { scenario: scenario ?? null, before }, limit + 1);
    return toPage(rows, limit, toLoadReportView, ({ id }) => encodeCursor(KIND, [id]));
  }
}
