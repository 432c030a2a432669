import { z } from 'zod';
import { settingsInput, type SettingsInput } from './system-health.dto.js';

export const settingsView = settingsInput.extend({ backupLocation: z.string(), updatedAt: z.iso.datetime() });
export type SettingsView = SettingsInput & { updatedAt: string };
