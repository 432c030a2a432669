import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import type { MediaRow } from '../media.rules.js';
import { mediaView, toMediaView } from './media.view.js';

export const withheldQuery = pageQuery.extend({ state: z.enum(['quarantined', 'rejected']).default('quarantined') });
export type WithheldQuery = z.output<typeof withheldQuery>;

/** A file that nobody gets, and why: the scanner's or the moderator's word, or what was wrong with it. */
export const withheldView = mediaView.extend({ reason: z.string().nullable() });
export type WithheldView = z.output<typeof withheldView>;

export const toWithheldView = (row: MediaRow): WithheldView => ({ ...toMediaView(row), reason: row.rejectReason });
