import type { CommandTable } from './command-line.js';

/** Every command of `parley`, in the order in which the overview prints them. */
export const commands: CommandTable = [
  {
    name: 'start',
    summary: 'start the server',
    load: async () => (await import('./start.command.js')).start,
  },
  {
    name: 'config print',
    summary: 'print every setting with its value and source, secrets hidden',
    load: async () => (await import('./config.command.js')).configPrint,
  },
  {
    name: 'config',
    summary: 'list every setting with its default and what it may hold',
    load: async () => (await import('./config.command.js')).configHelp,
  },
  {
    name: 'contract',
    summary: 'write the API documents from the schemas',
    load: async () => (await import('./contract.command.js')).contract,
  },
];
