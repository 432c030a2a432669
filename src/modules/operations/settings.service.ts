import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { ActorActed } from '../../platform/auth/auth.events.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { etagOf, requireMatch } from '../../platform/http/conditional.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { settingsInput, type SettingsInput, type SettingsPatch } from './dto/system-health.dto.js';
import type { SettingsView } from './dto/settings.view.js';
import { findSettings, lockSettings, saveSettings, type SettingsRow } from './settings.repository.js';

/** Thresholds, refresh interval and retention: one row for the installation. Every change leaves an audit entry. */
@Injectable()
export class SettingsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly box: SecretBox,
  ) {}

  async get(actor: Actor): Promise<{ settings: SettingsView; etag: string }> {
    requirePermission(actor, 'health.read');
    const [row] = await findSettings(this.database);
    if (!row) throw notFound();
    return { settings: toView(row), etag: etagFor(row) };
  }

  /** For jobs, which need no right to read. Throws where the row holds what its schema refuses. */
  async current(): Promise<SettingsInput> {
    const [row] = await findSettings(this.database);
    if (!row) throw notFound();
    return toInput(row);
  }

  /** Replaces the whole. @throws precondition_failed */
  put(actor: Actor, input: SettingsInput, match: string, trace: RequestTrace) {
    return this.change(actor, () => input, match, trace);
  }

  /** Replaces what is named. @throws precondition_failed */
  patch(actor: Actor, { thresholds, ...rest }: SettingsPatch, match: string, trace: RequestTrace) {
    const merge = (row: SettingsRow): SettingsInput => {
      const before = toInput(row);
      return settingsInput.parse({ ...before, ...rest, thresholds: { ...before.thresholds, ...thresholds } });
    };
    return this.change(actor, merge, match, trace);
  }

  private async change(actor: Actor, next: (row: SettingsRow) => SettingsInput, match: string, trace: RequestTrace) {
    requirePermission(actor, 'health.write');
    return this.database.tx(async (tx) => {
      const [row] = await lockSettings(tx);
      if (!row) throw notFound();
      requireMatch(match, etagFor(row));
      const before = inputOf(row);
      const input = next(row);
      if (isDeepStrictEqual(before, input)) return { settings: toView(row), etag: etagFor(row) };
      const [saved] = await saveSettings(tx, input);
      if (!saved) throw notFound();
      await this.events.publish(
        tx,
        new ActorActed(actor.userId, {
          action: 'system_health.update',
          permission: 'health.write',
          targetType: 'system_health',
          targetId: '1',
          before,
          after: { ...input },
          requestId: trace.requestId,
          ipHash: this.box.sign('ip', trace.ip).slice(0, 22),
        }),
      );
      return { settings: toView(saved), etag: etagFor(saved) };
    });
  }
}

const inputOf = ({ updatedAt: _updatedAt, version: _version, ...input }: SettingsRow) => input;
/** What other writers of the table left there is checked as what arrives is. */
const toInput = (row: SettingsRow): SettingsInput => settingsInput.parse(inputOf(row));
const toView = (row: SettingsRow): SettingsView => ({ ...toInput(row), updatedAt: row.updatedAt.toISOString() });
const etagFor = ({ version }: SettingsRow): string => etagOf('system-health', version);
