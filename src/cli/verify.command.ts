import { createGraph } from '../app.js';
import { AdministrationService } from '../modules/administration/administration.service.js';
import { MessagesService } from '../modules/messages/messages.service.js';
import type { AuditVerdict } from '../modules/administration/dto/audit.view.js';
import { DatabaseService } from '../platform/database/database.service.js';
import type { CliCommand, Invocation } from './command-line.js';
import { withDatabase } from './database-target.js';
import { withOpenDatabase } from './open-database.js';

const VIOLATED = 1;
const USAGE = 2;

export const verifyCommand: CliCommand = {
  name: 'verify',
  summary:
    'With --url: try a running installation from outside, as its users would. Without: compare what the database stores twice, in one snapshot, writing nothing. Exit 1 when something does not hold.',
  options: {
    url: { type: 'string', description: 'the installation, such as https://chat.example.com' },
    production: { type: 'boolean', description: 'with --url (default PUBLIC_URL): also what only production needs' },
    messages: {
      type: 'boolean',
      description:
        'conversations and messages: nothing twice, no holes, watermarks and unread counts right (the default)',
    },
    audit: { type: 'boolean', description: 'the audit log: every entry, nothing missing in between or at the end' },
    sample: { type: 'string', description: 'at most so many conversations' },
  },
  examples: [
    'parley verify --url http://localhost:3000',
    'parley verify --url https://chat.example.com --production --json',
    'parley verify --messages',
    'parley verify --messages --sample 1000 --json',
    'parley verify --audit',
  ],
  run: async (invocation) => {
    const { flags } = invocation;
    if (flags['url'] !== undefined || flags['production'] === true) return fromOutside(invocation);
    return withDatabase(invocation, async ({ config, options: { connectionString } }) => {
      const graph = await createGraph(config);
      return withOpenDatabase(graph.get(DatabaseService), config, connectionString, async () => {
        const { sample, audit } = invocation.flags;
        if (audit === true) {
          const verdict = await graph.get(AdministrationService, { strict: false }).verifyAudit();
          invocation.print(verdict, () => describeLog(verdict));
          return verdict.ok ? 0 : VIOLATED;
        }
        const service = graph.get(MessagesService, { strict: false });
        const checks = await service.verify(typeof sample === 'string' ? Number(sample) : undefined);
        const ok = checks.every((check) => check.ok);
        invocation.print({ ok, checks }, () => checks.map(describe).join('\n'));
        return ok ? 0 : VIOLATED;
      });
    });
  },
};

async function fromOutside(invocation: Invocation): Promise<number> {
  const { url = process.env['PUBLIC_URL'], production } = invocation.flags;
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) {
    invocation.note('parley verify: name the installation with --url http(s)://...');
    return USAGE;
  }
  const { verifyInstallation } = await import('./verify-installation.js');
  const target = {
    url: url.replace(/\/+$/, ''),
    production: production === true,
    probeToken: process.env['HEALTH_PROBE_TOKEN'],
  };
  return verifyInstallation(target, invocation);
}

const describeLog = ({ ok, checked, fault, brokenAt }: AuditVerdict): string =>
  ok
    ? `ok        ${checked} entries, each as it was written, none missing`
    : `VIOLATED  ${fault === 'end' ? `entries are missing after the first ${checked}` : `entry ${brokenAt} is not what followed the first ${checked}`}`;

function describe({
  id,
  rule,
  ok,
  checked,
  found,
  violations,
}: Awaited<ReturnType<MessagesService['verify']>>[number]): string {
  const line = `${ok ? 'ok      ' : 'VIOLATED'}  ${id.padEnd(4)}${rule} (${checked} checked${ok ? '' : `, ${found} contradict it`})`;
  return [line, ...violations.map((violation) => `          ${violation}`)].join('\n');
}
