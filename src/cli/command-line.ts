import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from './nearest.js';
import { paintFor } from './style.js';

type Options = NonNullable<ParseArgsConfig['options']>;

/** What a command gets: positional arguments, flags, and a way to answer a person or a program. */
export interface Invocation {
  args: string[];
  flags: Record<string, string | boolean | (string | boolean)[] | undefined>;
  json: boolean;
  /** Prints the result: `value` as JSON with --json, otherwise what `text` makes of it. */
  print: (value: unknown, text: () => string) => void;
  /** Progress, hints and questions: always on stderr, so that stdout holds the result alone. */
  note: (text: string) => void;
}

export interface CliCommand {
  /** Words that select it: 'db status'. */
  name: string;
  summary: string;
  /** What follows the name: '<migration> [--at k]'. */
  usage?: string;
  options?: Options & Record<string, { description?: string }>;
  examples?: readonly string[];
  /** Printed at the end of --help. */
  details?: () => string;
  /** Answers the exit code. */
  run(invocation: Invocation): Promise<number>;
}

/** Loads a command only when it is asked for. */
export type CommandTable = readonly { name: string; summary: string; load: () => Promise<CliCommand> }[];

const USAGE = 2;

/** Finds the command, parses its flags, runs it and answers the exit code. Unexpected errors print one line and their code. */
export async function runCommandLine(table: CommandTable, words: readonly string[]): Promise<number> {
  const argv = withoutNeedlessDb(table, words);
  const entry = table
    .filter(({ name }) =>
      [name, shortName(name)].some((words) => words.split(' ').every((word, i) => argv[i] === word)),
    )
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (!entry) {
    const asked = argv.filter((word) => !word.startsWith('-') && word !== 'help');
    const group = table.filter(({ name }) => name.startsWith(`${asked[0]} `));
    if (asked.length === 0 || (asked.length === 1 && group.length > 0)) {
      process.stdout.write(overview(group.length > 0 ? group : table));
      return argv.length === 0 || argv.some((word) => ['--help', '-h', 'help'].includes(word)) ? 0 : USAGE;
    }
    return fail(`parley: ${noSuchCommand(table, asked.join(' '))}; parley --help lists them`, USAGE);
  }
  const command = await entry.load();
  const rest = argv.slice(
    (argv[0] === 'db' || !entry.name.startsWith('db ') ? entry.name : shortName(entry.name)).split(' ').length,
  );
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(help(command));
    return 0;
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: { ...command.options, json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [surplus] = command.usage?.startsWith('<') ? [] : positionals;
    if (surplus !== undefined)
      return fail(`parley: ${noSuchCommand(table, `${entry.name} ${surplus}`)}; parley ${entry.name} --help`, USAGE);
    const json = values['json'] === true;
    return await command.run({
      args: positionals,
      flags: values,
      json,
      print: (value, text) => process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`),
      note: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    const { code, message, exitCode, hint } = error as {
      code?: string;
      message: string;
      exitCode?: number;
      hint?: string;
    };
    if (code?.startsWith('ERR_PARSE_ARGS')) return fail(`parley ${command.name}: ${misused(command, message)}`, USAGE);
    return fail(`parley ${command.name}: ${message}${hint ? `\n${hint}` : ''}`, exitCode ?? 1);
  }
}

/** `db backup` is what one tries first, and means `backup`. */
function withoutNeedlessDb(table: CommandTable, words: readonly string[]): readonly string[] {
  const [first, second = ''] = words;
  const named = (wanted: string): boolean => table.some(({ name }) => name === wanted);
  return first === 'db' && !named(`db ${second}`) && named(second) ? words.slice(1) : words;
}

function noSuchCommand(table: CommandTable, asked: string): string {
  const meant = nearest(
    asked,
    table.flatMap(({ name }) => [name, shortName(name)]),
  );
  return `there is no command "${asked}"${meant ? `, did you mean "${meant}"` : ''}`;
}

/** What Node says of wrong options, without its advice to programmers. */
function misused({ options = {} }: CliCommand, message: string): string {
  const [, unknown] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
  if (unknown === undefined) return message;
  const meant = nearest(unknown, [...Object.keys(options), 'json', 'help']);
  return `there is no option --${unknown}${meant ? `, did you mean --${meant}` : ''}`;
}

/** Every `db` command also works without `db`, except `verify`, which alone checks the whole product. */
const shortName = (name: string): string => (name === 'db verify' ? name : name.replace(/^db /, ''));

function fail(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}

const WIDTH = 100;

/** Breaks at blanks, so that no line is longer than a terminal is wide. */
function wrap(text: string): string {
  const width = Math.min(process.stdout.columns ?? WIDTH, WIDTH);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.trim() === '') lines[lines.length - 1] = line + word;
    else if (line.length + word.length + 1 <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function overview(table: CommandTable): string {
  const { bold, cyan, dim } = paintFor(process.stdout);
  const width = Math.max(...table.map(({ name }) => name.length)) + 2;
  const rows = table.map(({ name, summary }) => `  ${cyan(name)}${' '.repeat(width - name.length)}${summary}`);
  return [
    `${bold('parley')}: a messaging backend`,
    '',
    `${bold('Usage')}: parley <command> [options]`,
    '',
    ...rows,
    '',
    dim(
      'Every command takes --help and --json. Results go to stdout, progress to stderr. Colours: NO_COLOR, FORCE_COLOR.',
    ),
    dim('Exit: 0 done, 1 failed, 2 asked wrongly, 3 something is to be done, 10 and above as in docs/guides/boot.md.'),
    '',
  ].join('\n');
}

function help({ name, summary, usage = '', options = {}, examples = [], details }: CliCommand): string {
  const { bold, cyan } = paintFor(process.stdout);
  const all = { ...options, json: { type: 'boolean', description: 'the result as JSON' } } as NonNullable<
    CliCommand['options']
  >;
  const flags = Object.entries(all).map(
    ([flag, { type, description = '' }]) => [`--${flag}${type === 'string' ? ' <value>' : ''}`, description] as const,
  );
  const width = Math.max(...flags.map(([flag]) => flag.length)) + 2;
  const lines = [
    bold(`parley ${name} ${usage}`.trimEnd()),
    '',
    wrap(summary),
    '',
    `${bold('Options')}:`,
    ...flags.map(([flag, text]) => `  ${cyan(flag)}${' '.repeat(width - flag.length)}${text}`),
  ];
  if (examples.length > 0) lines.push('', `${bold('Examples')}:`, ...examples.map((example) => `  ${example}`));
  if (details) lines.push('', details());
  return `${lines.join('\n')}\n`;
}
