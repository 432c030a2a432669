import { createGraph } from '../app.js';
import { AdministrationService } from '../modules/administration/administration.service.js';
import { MessagesService } from '../modules/messages/messages.service.js';
import type { AuditVerdict } from '../modules/administration/dto/audit.view.js';
import { DatabaseService } from '../platform/database/database.service.js';
import type { CliCommand } from './command-line.js';
import { withDatabase } from './database-target.js';
import { withOpenDatabase } from './open-database.js';

const VIOLATED = 1;

export const verifyCommand: CliCommand = {
  name: 'verify',
  summary:
    'Compare what the database stores twice; exit 1 when it contradicts itself. Reads one snapshot, writes nothing.',
  options: {
    messages: { type: 'boolean', description: 'conversations and messages: I3, I4, I10, I11, S6 (the default)' },
    audit: { type: 'boolean', description: 'the audit log: every entry, nothing missing in between or at the end' },
    sample: { type: 'string', description: 'at most so many conversations' },
  },
  examples: ['parley verify --messages', 'parley verify --messages --sample 1000 --json', 'parley verify --audit'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options: { connectionString } }) => {
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
    }),
};

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
