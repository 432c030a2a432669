import { z } from 'zod';
import { characters, line, paragraph, refuse } from '../../../platform/http/text.js';
import { handlePattern, isLocale, isTimeZone, parseIdentifier } from '../users.rules.js';

/** An email address or an E.164 phone number, parsed. */
export const identifier = z
  .string()
  .max(400)
  .transform((text, context) => {
    const parsed = parseIdentifier(text);
    if (parsed) return parsed;
    refuse(context, 'invalid_identifier', 'An email address or a phone number such as +4930123456');
    return z.NEVER;
  });

/** A new password: any characters people can type, 8 to 128 of them. Never trimmed. */
export const newPassword = z
  .string()
  .max(512)
  .superRefine((value, context) => {
    const length = characters(value.normalize('NFC'));
    if (!value.isWellFormed() || /\p{Cc}/u.test(value))
      refuse(context, 'control_character', 'Contains a control character');
    else if (length < 8) refuse(context, 'too_short', 'At least 8 characters');
    else if (length > 128) refuse(context, 'too_long', 'At most 128 characters');
  });

/** A password to compare; its faults are not told apart from a wrong one. */
export const givenPassword = z.string().min(1).max(512);

export const handle = z
  .string()
  .regex(handlePattern, 'Lower-case letters a-z, digits, dot and underscore, 3 to 32 of them');
export const displayName = line(1, 64);
export const bio = paragraph(0, 500);
export const locale = z
  .string()
  .max(35)
  .refine(isLocale, { message: 'A language tag such as en or pt-BR', params: { code: 'invalid_locale' } });
export const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, { message: 'A time zone such as Europe/Berlin', params: { code: 'invalid_time_zone' } });

/** The device a person signs in on; the server makes an absent `deviceId`. */
export const device = z.strictObject({
  deviceId: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'Letters, digits and . _ : -')
    .optional(),
  name: line(1, 64).optional(),
  platform: z.enum(['ios', 'android', 'web', 'desktop', 'bot', 'other']).default('other'),
});
export type DeviceInput = z.output<typeof device>;

/** An opaque token, which only its hash is looked up by: whatever is none of ours is refused as unknown, not as badly formed. */
export const opaqueToken = z.string().min(1).max(1024);
