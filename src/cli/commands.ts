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
    name: 'config export',
    summary: 'what is set as an environment file, without the values of secrets',
    load: async () => (await import('./config.command.js')).configExport,
  },
  {
    name: 'config',
    summary: 'list every setting with its default and what it may hold',
    load: async () => (await import('./config.command.js')).configHelp,
  },
  {
    name: 'db status',
    summary: 'history, lock, seeds, epoch and drift',
    load: async () => (await import('./database.commands.js')).dbStatus,
  },
  {
    name: 'db plan',
    summary: 'what the next boot would do',
    load: async () => (await import('./database.commands.js')).dbPlan,
  },
  {
    name: 'db migrate',
    summary: 'migrate, seed and verify now',
    load: async () => (await import('./database.commands.js')).dbMigrate,
  },
  {
    name: 'db verify',
    summary: 'compare the live schema with the build',
    load: async () => (await import('./database.commands.js')).dbVerify,
  },
  {
    name: 'db adopt',
    summary: 'take over a database made by other means',
    load: async () => (await import('./decision.commands.js')).dbAdopt,
  },
  {
    name: 'db resolve',
    summary: 'decide how a migration stands',
    load: async () => (await import('./decision.commands.js')).dbResolve,
  },
  {
    name: 'db repair',
    summary: 'bring back missing objects',
    load: async () => (await import('./decision.commands.js')).dbRepair,
  },
  {
    name: 'db seed',
    summary: 'run the seeds that are due',
    load: async () => (await import('./schema.commands.js')).dbSeed,
  },
  {
    name: 'db script',
    summary: 'the whole schema as one SQL script',
    load: async () => (await import('./schema.commands.js')).dbScript,
  },
  {
    name: 'db reset',
    summary: 'make a development database anew',
    load: async () => (await import('./schema.commands.js')).dbReset,
  },
  {
    name: 'verify',
    summary: 'try an installation from outside (--url), or compare what the database stores twice',
    load: async () => (await import('./verify.command.js')).verifyCommand,
  },
  {
    name: 'doctor',
    summary: 'why the database or AWS cannot be used',
    load: async () => (await import('./database.commands.js')).doctorCommand,
  },
  {
    name: 'backup',
    summary: 'write the database to one file',
    load: async () => (await import('./backup.commands.js')).backupCommand,
  },
  {
    name: 'restore',
    summary: 'load a backup into an empty database',
    load: async () => (await import('./backup.commands.js')).restoreCommand,
  },
  {
    name: 'epoch bump',
    summary: 'after a lossy failover: every client starts over',
    load: async () => (await import('./epoch.command.js')).epochBump,
  },
  {
    name: 'keys rotate',
    summary: 'make a new key that signs access tokens',
    load: async () => (await import('./keys.commands.js')).keysRotate,
  },
  {
    name: 'user create-admin',
    summary: 'make an account that may do everything',
    load: async () => (await import('./user.commands.js')).userCreateAdmin,
  },
  {
    name: 'media reconcile',
    summary: 'compare the file store with the table, both ways',
    load: async () => (await import('./media.commands.js')).mediaReconcile,
  },
  {
    name: 'seed demo',
    summary: 'people and messages to look around in',
    load: async () => (await import('./seed-demo.command.js')).seedDemo,
  },
  {
    name: 'loadtest',
    summary: 'put load on an installation, compare with the targets, store the report',
    load: async () => (await import('./loadtest.command.js')).loadtest,
  },
  {
    name: 'chat',
    summary: 'talk in this terminal',
    load: async () => (await import('./chat.command.js')).chat,
  },
  {
    name: 'contract',
    summary: 'write the API documents from the schemas',
    load: async () => (await import('./contract.command.js')).contract,
  },
];
