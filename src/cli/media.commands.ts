import { createGraph } from '../app.js';
import type { MediaReconciliation } from '../modules/media/dto/reconciliation.view.js';
import { MediaService } from '../modules/media/media.service.js';
import { DatabaseService } from '../platform/database/database.service.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';
import { withOpenDatabase } from './open-database.js';

const DIFFERENT = 1;
/** Lines of each kind that are printed; --json has all. */
const SHOWN = 20;

export const mediaReconcile: CliCommand = {
  name: 'media reconcile',
  summary:
    'Compare the file store with the table, both ways; exit 1 when they differ. Changes nothing without --apply.',
  usage: '[--apply]',
  options: {
    apply: { type: 'boolean', description: 'delete unknown objects, reject lost files, make lost renditions again' },
    ...yesIMeanIt,
  },
  examples: ['parley media reconcile', 'parley media reconcile --json', 'parley media reconcile --apply'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options: { connectionString } }) => {
      const graph = await createGraph(config);
      const media = graph.get(MediaService, { strict: false });
      return withOpenDatabase(graph.get(DatabaseService), config, connectionString, async () => {
        const apply = invocation.flags['apply'] === true;
        if (apply)
          await confirm(
            'Delete every object that no file refers to? Run it without --apply first.',
            invocation.flags,
            config,
          );
        const report = await media.reconcile({ apply });
        invocation.print(report, () => describe(report));
        return report.consistent || apply ? 0 : DIFFERENT;
      });
    }),
};

function describe(report: MediaReconciliation): string {
  const { driver, objects, rows, elsewhere, orphans, lost, resized, applied } = report;
  const bytes = orphans.reduce((sum, { size }) => sum + size, 0);
  return [
    `${driver}: ${objects} objects, ${rows} files${elsewhere > 0 ? `; ${elsewhere} files lie in another store` : ''}`,
    ...section(`${orphans.length} objects (${bytes} bytes) that no file refers to`, orphans, ({ key }) => key),
    ...section(`${lost.length} missing`, lost, ({ id, variant, state, key }) => `${id} ${variant} (${state}): ${key}`),
    ...section(`${resized.length} of another size`, resized, ({ id, size, found }) => `${id}: ${size} became ${found}`),
    applied
      ? `${report.removed} objects removed, ${report.rejected} files rejected, ${report.renderedAgain} rendered again`
      : report.consistent
        ? 'Store and table agree.'
        : 'Nothing was changed. --apply removes, rejects and renders again.',
  ].join('\n');
}

const section = <Item>(title: string, items: readonly Item[], line: (item: Item) => string): string[] =>
  items.length === 0
    ? []
    : [
        title,
        ...items.slice(0, SHOWN).map((item) => `  ${line(item)}`),
        ...(items.length > SHOWN ? [`  and ${items.length - SHOWN} more`] : []),
      ];
