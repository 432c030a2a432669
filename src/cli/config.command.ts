import { loadConfig } from '../platform/config/config.js';
import { type Setting, settings } from '../platform/config/settings.js';
import type { CliCommand } from './command-line.js';

const rows = Object.entries(settings) as [string, Setting][];

/** The default as a person would write it; undefined when there is none. */
function defaultOf({ schema }: Setting): string | undefined {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return undefined;
  return typeof parsed.data === 'string' ? parsed.data : JSON.stringify(parsed.data);
}

/** Every setting as data: for people, for programs and for the guide. */
export const settingRows = () =>
  rows.map(([name, setting]) => ({
    name,
    default: defaultOf(setting) ?? null,
    allowed: setting.allowed,
    secret: setting.secret,
    description: setting.description,
  }));

const listText = () =>
  settingRows()
    .map(
      (row) =>
        `${row.name}${row.secret ? ' (secret)' : ''}\n    ${row.description}\n    allowed: ${row.allowed}; default: ${row.default ?? '-'}`,
    )
    .join('\n');

export const configHelp: CliCommand = {
  name: 'config',
  summary: 'Every variable Parley reads. NAME_FILE reads a file; a value ssm:/path reads AWS Parameter Store.',
  examples: ['parley config', 'parley config --json', 'parley config print'],
  details: listText,
  run: async ({ print }) => {
    print(settingRows(), listText);
    return 0;
  },
};

export const configPrint: CliCommand = {
  name: 'config print',
  summary: 'Print every setting with its value and where it came from; secrets are hidden. Exit 10 lists every fault.',
  examples: ['parley config print', 'parley config print --json'],
  run: async ({ print, note }) => {
    const config = await loadConfig(process.env);
    const values = config as unknown as Record<string, unknown>;
    for (const warning of config.warnings) note(`warning: ${warning}`);
    const printed = rows.map(([name, { secret }]) => {
      const value = values[name];
      return {
        name,
        value: value === undefined ? null : secret ? '(hidden)' : value,
        source: config.sources[name] ?? 'default',
      };
    });
    print(printed, () =>
      printed
        .map(
          ({ name, value, source }) =>
            `${name}=${value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)}  (${source})`,
        )
        .join('\n'),
    );
    return 0;
  },
};
