import { loadConfig } from '../platform/config/config.js';
import { type Setting, settings } from '../platform/config/settings.js';
import type { CliCommand } from './command-line.js';

const rows = Object.entries(settings) as [string, Setting][];

/** The default as a person would write it; undefined when there is none. */
function defaultOf({ schema }: Setting): string | undefined {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined ? written(parsed.data) || undefined : undefined;
}

const isRate = (value: unknown): value is { points: number; seconds: number; burst: number } =>
  typeof value === 'object' && value !== null && 'points' in value && 'seconds' in value;

/** A value in the form in which it is set. */
function written(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.join(',');
  if (isRate(value)) return [value.points, value.seconds, ...(value.burst ? [value.burst] : [])].join('/');
  return JSON.stringify(value);
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
        .map(({ name, value, source }) => `${name}=${value === null ? '' : written(value)}  (${source})`)
        .join('\n'),
    );
    return 0;
  },
};

export const configExport: CliCommand = {
  name: 'config export',
  summary:
    'Print what is set, and not only a default, as an environment file to keep or to take along. Secrets are named, without their values: keep those where secrets are kept.',
  examples: ['parley config export > parley.env', 'parley config export --json'],
  run: async ({ print }) => {
    const config = await loadConfig(process.env);
    const values = config as unknown as Record<string, unknown>;
    const set = rows
      .filter(([name]) => config.sources[name] !== undefined && config.sources[name] !== 'default')
      .map(([name, { secret }]) => ({ name, secret, value: secret ? null : written(values[name]) }));
    print(set, () => set.map(({ name, value }) => (value === null ? `# ${name}=` : `${name}=${value}`)).join('\n'));
    return 0;
  },
};
