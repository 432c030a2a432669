import { commands } from './cli/commands.js';
import { runCommandLine } from './cli/command-line.js';

// A reader that has seen enough, such as `head`, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(commands, process.argv.slice(2));
