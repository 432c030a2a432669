import { z } from 'zod';
import { settingsInput, type SettingsInput } from './system-health.dto.js';

export const settingsView = settingsInput.extend({ updatedAt: z.iso.datetime() });
export type SettingsView = SettingsInput & { updatedAt: string };
