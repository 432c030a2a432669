/** What a person signs in with, in the one form it is stored and compared in. */
export interface Identifier {
  kind: 'email' | 'phone';
  value: string;
}

// ASCII only: a mailbox that merely looks like another one cannot be registered.
const email =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/;
/** E.164. */
const phone = /^\+[1-9]\d{6,14}$/;
const MAX_EMAIL = 254;
const MAX_LOCAL_PART = 64;

/** Reads an email address or a phone number; undefined when it is neither. */
export function parseIdentifier(text: string): Identifier | undefined {
  const value = text.trim().toLowerCase();
  if (phone.test(value)) return { kind: 'phone', value };
  if (value.length <= MAX_EMAIL && value.indexOf('@') <= MAX_LOCAL_PART && email.test(value))
    return { kind: 'email', value };
  return undefined;
}

/** `[a-z0-9_.]{3,32}` leaves no look-alikes, blanks or capitals to tell apart. */
export const handlePattern = /^[a-z0-9_.]{3,32}$/;

/** Whether a language tag is well-formed (BCP 47). */
export function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** Whether a time zone is in the IANA database of this runtime. */
export function isTimeZone(name: string): boolean {
  try {
    // Offsets such as +02:00 are accepted by Intl, but have no daylight saving and are no zone.
    return (
      /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
    );
  } catch {
    return false;
  }
}

/** Text for the right side of LIKE, matching itself alone. */
export const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
