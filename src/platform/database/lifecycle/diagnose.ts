import { codeOf, messageOf } from './errors.js';

export type ConnectionErrorClass =
  | 'refused'
  | 'dns'
  | 'network'
  | 'timeout'
  | 'starting'
  | 'capacity'
  | 'lost'
  | 'auth'
  | 'rejected'
  | 'database'
  | 'rights'
  | 'tls'
  | 'protocol'
  | 'other';

export interface Diagnosis {
  class: ConnectionErrorClass;
  /** Worth another attempt; everything else ends the boot at once. */
  retryable: boolean;
  code?: string;
  /** The name stock Prisma tools give the same fault. */
  prismaCode?: string;
  message: string;
  hint: string;
}

export interface ConnectionTarget {
  user: string;
  host: string;
  database: string;
  /** The variable the URL came from. */
  source: string;
}

type Rule = {
  class: ConnectionErrorClass;
  retryable?: true;
  prismaCode?: string;
  hint(target: ConnectionTarget): string;
};

const unreachable = (why: string): Rule['hint'] => {
  return (t) => `${why} Is PostgreSQL running at ${t.host}, and is the host and port in ${t.source} right?`;
};
const lost: Rule = {
  class: 'lost',
  retryable: true,
  prismaCode: 'P1017',
  hint: () => 'The server or something on the way closed the connection; see the server log.',
};
const timeout: Rule = {
  class: 'timeout',
  retryable: true,
  prismaCode: 'P1002',
  hint: unreachable('Nothing answered: a firewall, security group or wrong address drops the packets.'),
};
const starting: Rule = {
  class: 'starting',
  retryable: true,
  prismaCode: 'P1001',
  hint: () => 'The server is starting, stopping or recovering; this passes by itself.',
};
const tlsRule = (hint: Rule['hint']): Rule => ({ class: 'tls', prismaCode: 'P1011', hint });
const tls = tlsRule(
  (t) =>
    `TLS to ${t.host} failed. Set sslmode in ${t.source} to what the server offers (sslmode=disable, or sslmode=verify-full with sslrootcert).`,
);
const untrusted = tlsRule(
  (t) =>
    `Nobody this machine trusts signed the certificate of ${t.host}. Name the authority in ${t.source}: sslmode=verify-full&sslrootcert=/path/to/ca.pem (managed databases offer the file for download).`,
);
const outOfDate = tlsRule(
  (t) =>
    `The certificate of ${t.host} is not valid today. Renew it on the server (ssl_cert_file) and reload; if it looks right, compare the clocks.`,
);

/** By the code of Node or OpenSSL. */
const tlsRules: Readonly<Record<string, Rule>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  CERT_HAS_EXPIRED: outOfDate,
  CERT_NOT_YET_VALID: outOfDate,
  ERR_TLS_CERT_ALTNAME_INVALID: tlsRule(
    (t) =>
      `The certificate is for another name than ${t.host}. Use in ${t.source} a name that it holds, or get one for this name; sslmode=verify-ca with sslrootcert does not look at names.`,
  ),
};

const rules: Readonly<Record<string, Rule>> = {
  ECONNREFUSED: { class: 'refused', retryable: true, prismaCode: 'P1001', hint: unreachable('The port is closed.') },
  ENOENT: { class: 'refused', retryable: true, prismaCode: 'P1001', hint: unreachable('The socket file is missing.') },
  ENOTFOUND: {
    class: 'dns',
    retryable: true,
    prismaCode: 'P1001',
    hint: unreachable('The host name does not resolve.'),
  },
  EAI_AGAIN: {
    class: 'dns',
    retryable: true,
    prismaCode: 'P1001',
    hint: unreachable('The name server does not answer.'),
  },
  EHOSTUNREACH: { class: 'network', retryable: true, prismaCode: 'P1001', hint: unreachable('No route.') },
  ENETUNREACH: { class: 'network', retryable: true, prismaCode: 'P1001', hint: unreachable('No route.') },
  ECONNRESET: lost,
  EPIPE: lost,
  ETIMEDOUT: timeout,
  '57P03': starting,
  '57P01': starting,
  '57P02': starting,
  '53300': {
    class: 'capacity',
    retryable: true,
    prismaCode: 'P2037',
    hint: () => 'All connections of the server are in use: raise max_connections or lower the pools of its clients.',
  },
  '08000': lost,
  '08001': lost,
  '08003': lost,
  '08006': lost,
  '28P01': {
    class: 'auth',
    prismaCode: 'P1000',
    hint: (t) =>
      `The server refused the password of "${t.user}" from ${t.source}. Either the password holds one of @ : / ? # unencoded ` +
      `(write it percent-encoded), or the role is missing or its password was changed (ALTER ROLE "${t.user}" PASSWORD '...'), ` +
      'or the data volume was first initialised with another password and keeps that one.',
  },
  '28000': {
    class: 'rejected',
    prismaCode: 'P1010',
    hint: (t) =>
      `The server does not let "${t.user}" in from here: pg_hba.conf has no matching line, or it demands TLS (sslmode=require in ${t.source}).`,
  },
  '3D000': {
    class: 'database',
    prismaCode: 'P1003',
    hint: (t) => `Create it, CREATE DATABASE "${t.database}", or correct the name in ${t.source}.`,
  },
  '42501': {
    class: 'rights',
    prismaCode: 'P1010',
    hint: (t) => `GRANT CONNECT ON DATABASE "${t.database}" TO "${t.user}".`,
  },
  '08P01': {
    class: 'protocol',
    hint: (t) =>
      `What answers at ${t.host} rejects the handshake: a pooler that refuses startup parameters, or not PostgreSQL at all. Point DATABASE_DIRECT_URL at the server itself.`,
  },
  EACCES: {
    class: 'rights',
    hint: (t) => `This account may not open the socket at ${t.host}.`,
  },
};

/** Read before the codes: what the server says is more than its code. */
const sayings: readonly (readonly [RegExp, Rule])[] = [
  [
    /pg_hba\.conf entry .*(no encryption|SSL off)/i,
    tlsRule(
      (t) => `The server lets "${t.user}" in with TLS only: add sslmode=require (or verify-full) to ${t.source}.`,
    ),
  ],
  [
    /server does not support SSL/i,
    tlsRule(
      (t) =>
        `${t.source} demands TLS and the server at ${t.host} has none. Turn it on there (ssl = on, with a certificate), or inside a private network use sslmode=disable.`,
    ),
  ],
];

const patterns: readonly (readonly [RegExp, Rule])[] = [
  [/timeout expired|timeout exceeded when trying to connect|query read timeout/i, timeout],
  [/Connection terminated|not queryable/i, lost],
  [/\b(SSL|TLS|certificate|self.signed|unable to verify|wrong version number|ERR_SSL|ERR_TLS)\b/i, tls],
  [
    /Received unexpected|unknown message/i,
    { class: 'protocol', hint: (t) => `What answers at ${t.host} is not PostgreSQL.` },
  ],
];

/** Says what went wrong with a connection, whether trying again can help, and what to do. */
export function diagnose(error: unknown, target: ConnectionTarget): Diagnosis {
  // Node tries every address of a name; they all failed, so the last one speaks for them.
  const single: unknown = error instanceof AggregateError ? (error.errors.at(-1) ?? error) : error;
  const code = codeOf(single);
  const message = messageOf(single);
  const rule =
    sayings.find(([pattern]) => pattern.test(message))?.[1] ??
    tlsRules[code ?? ''] ??
    (code?.startsWith('ERR_SSL') || code?.startsWith('ERR_TLS') || /CERT|SIGNATURE/.test(code ?? '')
      ? tls
      : undefined) ??
    (code === undefined ? undefined : rules[code]) ??
    patterns.find(([pattern]) => pattern.test(message))?.[1];
  if (!rule)
    return { class: 'other', retryable: false, code, message, hint: 'See the server log for this connection.' };
  return {
    class: rule.class,
    retryable: rule.retryable ?? false,
    code,
    prismaCode: rule.prismaCode,
    message,
    hint: rule.hint(target),
  };
}
