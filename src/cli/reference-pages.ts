import { errorCodes } from '../platform/errors/error-codes.js';
import { settingRows } from './config.command.js';

const GENERATED = '<!-- Written by `npm run contract`; change the source, not this page. -->';
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/guides/configuration.md, from the schema that checks the environment. */
export function configurationPage(): string {
  const rows = settingRows().map(
    ({ name, default: byDefault, allowed, secret, description }) =>
      `| \`${name}\`${secret ? ' (secret)' : ''} | ${byDefault === null ? '-' : `\`${cell(byDefault)}\``} | ${cell(allowed)} | ${cell(description)} |`,
  );
  return `${GENERATED}
# Configuration

Parley reads its environment once, at start, and reports every fault at once (exit code 10). \`NAME_FILE\` reads the value of
\`NAME\` from a file, a value \`ssm:/path\` reads it from AWS Parameter Store. \`npx parley config print\` shows what is in
force and where it came from, secrets hidden.

| Variable | Default | Allowed | Meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** docs/guides/errors.md, from the table of codes. */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`);
  return `${GENERATED}
# Error codes

Every failed request answers \`application/problem+json\` (RFC 9457); the same object is \`error\` in a failed socket ack and
\`data\` of a \`connect_error\`. Branch on \`code\`: codes are stable within \`/api/v1\`. Retry without asking on 429, 500, 503,
\`idempotency_in_progress\` and no answer at all; everything else is final.

| Code | Status | Title |
|---|---|---|
${rows.join('\n')}
`;
}
