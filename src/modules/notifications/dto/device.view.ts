import { z } from 'zod';
import type { DeviceRow } from '../devices.repository.js';

const time = z.iso.datetime();

/** A device as its user sees it; the token never leaves. */
export const deviceView = z.object({
  deviceId: z.string(),
  provider: z.string(),
  platform: z.string(),
  appVersion: z.string().nullable(),
  locale: z.string().nullable(),
  enabled: z.boolean(),
  /** When the provider last took a push for it. */
  lastOkAt: time.nullable(),
  createdAt: time,
});
export type DeviceView = z.output<typeof deviceView>;

export const pushConfigView = z.object({
  providers: z.array(z.string()),
  webPush: z.object({ vapidPublicKey: z.string() }),
});

export const toDeviceView = (row: DeviceRow): DeviceView => ({
  deviceId: row.deviceId,
  provider: row.provider,
  platform: row.platform,
  appVersion: row.appVersion,
  locale: row.locale,
  enabled: row.enabled,
  lastOkAt: row.lastOkAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
});
