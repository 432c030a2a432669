import { type AuthResult, Parley, type Self, type Tokens } from '@parley/client';

/** What is kept between visits of people who are ordinary accounts. */
interface Guest {
  user: Self;
  tokens: Tokens;
}

const KEY = 'parley.guests';
const names = ['Ada Lindqvist', 'Ben Okafor', 'Chloé Martin', 'Dev Patel'];

/**
 * Where a server knows no demo people, as in production, four guests register like anybody else. They stay signed in in
 * this browser alone: their passwords are known to nobody.
 */
export async function enterAsGuests(): Promise<{ created: boolean; people: AuthResult[] }> {
  const kept = stored();
  if (kept.length === names.length) return { created: false, people: kept };
  const people = (await Promise.all(names.map(register))).flatMap((guest) => guest ?? []);
  localStorage.setItem(KEY, JSON.stringify(people));
  return { created: true, people };
}

async function register(displayName: string): Promise<Guest | undefined> {
  const identifier = `guest-${crypto.randomUUID()}@parley.example`;
  const client = await Parley.register(location.origin, { identifier, password: crypto.randomUUID(), displayName });
  const user = await client.api.me();
  const { tokens } = client;
  client.close();
  return tokens && { user, tokens };
}

/** A refresh token works once: the latest is kept. */
export function keepTokens(userId: string, tokens: Tokens): void {
  const kept = stored().map((guest) => (guest.user.id === userId ? { ...guest, tokens } : guest));
  if (kept.length > 0) localStorage.setItem(KEY, JSON.stringify(kept));
}

export const forgetGuests = (): void => localStorage.removeItem(KEY);

function stored(): Guest[] {
  return JSON.parse(localStorage.getItem(KEY) ?? '[]') as Guest[];
}
