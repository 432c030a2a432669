import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { type AlertRow, listAlerts } from './alerts.repository.js';
import type { AvailabilityView, SampleView } from './dto/sample.view.js';
import type { AlertQuery, DailyQuery, SampleQuery, ViolationQuery } from './dto/system-health.dto.js';
import type { AlertView, ViolationView } from './dto/system-health.view.js';
import { type DailyRow, listDaily, listSamples, type SampleRow, served } from './samples.repository.js';
import { listViolations } from './violations.repository.js';
import type { Violation } from './violations.rules.js';

const instantAndId = z.tuple([z.iso.datetime().transform((text) => new Date(text)), z.uuid()]);
const dayAndReplica = z.tuple([z.iso.date(), z.uuid()]);
const onlyId = z.tuple([z.uuid()]);

/** Windows of the objective, in days, and what it asks for, in percent (docs/guides/alerts.md). */
const WINDOWS = [30, 90];
const TARGET = 99.9;

/** What was measured and what happened, page by page, newest first. */
@Injectable()
export class ListsService {
  constructor(private readonly database: DatabaseService) {}

  async samples(actor: Actor, { cursor, limit, from, to, replica }: SampleQuery): Promise<Page<SampleView>> {
    requirePermission(actor, 'health.read');
    const before = positionIn('samples', cursor);
    const filter = { from: from ?? null, to: to ?? null, replica: replica ?? null, before };
    const rows = await listSamples(this.database, filter, limit + 1);
    return toPage(rows, limit, toSampleView, ({ at, id }) => encodeCursor('samples', [at.toISOString(), id]));
  }

  async daily(actor: Actor, { cursor, limit, from, to, replica }: DailyQuery): Promise<Page<DailyRow>> {
    requirePermission(actor, 'health.read');
    const [day, replicaId] = cursor === undefined ? [] : decodeCursor('daily', cursor, dayAndReplica);
    const before = day !== undefined && replicaId !== undefined ? { day, replicaId } : null;
    const filter = { from: from ?? null, to: to ?? null, replica: replica ?? null, before };
    const rows = await listDaily(this.database, filter, limit + 1);
    return toPage(
      rows,
      limit,
      (row) => row,
      (row) => encodeCursor('daily', [row.day, row.replicaId]),
    );
  }

  async availability(actor: Actor): Promise<AvailabilityView> {
    requirePermission(actor, 'health.read');
    const windows = await served(this.database, WINDOWS);
    return {
      target: TARGET,
      windows: windows.map((window) => ({ ...window, availability: availabilityOf(window) })),
    };
  }

  async alerts(actor: Actor, { cursor, limit, from, to, replica, state }: AlertQuery): Promise<Page<AlertView>> {
    requirePermission(actor, 'health.read');
    const before = cursor === undefined ? null : decodeCursor('alerts', cursor, onlyId)[0];
    const filter = { from: from ?? null, to: to ?? null, replica: replica ?? null, state: state ?? null, before };
    const rows = await listAlerts(this.database, filter, limit + 1);
    return toPage(rows, limit, toAlertView, ({ id }) => encodeCursor('alerts', [id]));
  }

  async violations(actor: Actor, { cursor, limit, from, to, rule }: ViolationQuery): Promise<Page<ViolationView>> {
    requirePermission(actor, 'health.read');
    const before = positionIn('violations', cursor);
    const filter = { from: from ?? null, to: to ?? null, rule: rule ?? null, before };
    const rows = await listViolations(this.database, filter, limit + 1);
    return toPage(rows, limit, toViolationView, ({ at, id }) => encodeCursor('violations', [at.toISOString(), id]));
  }
}

function positionIn(list: string, cursor: string | undefined): { at: Date; id: string } | null {
  if (cursor === undefined) return null;
  const [at, id] = decodeCursor(list, cursor, instantAndId);
  return { at, id };
}

const toSampleView = (row: SampleRow): SampleView => ({ ...row, at: row.at.toISOString() });
const toViolationView = (row: Violation): ViolationView => ({ ...row, at: row.at.toISOString() });
const toAlertView = (row: AlertRow): AlertView => ({
  ...row,
  openedAt: row.openedAt.toISOString(),
  resolvedAt: row.resolvedAt?.toISOString() ?? null,
});

const availabilityOf = ({ requests, errors }: { requests: number; errors: number }): number | null =>
  requests === 0 ? null : Math.floor(((requests - errors) / requests) * 100_000) / 1000;
