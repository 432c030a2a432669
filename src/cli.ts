import { commands } from './cli/commands.js';
import { runCommandLine } from './cli/command-line.js';

process.exitCode = await runCommandLine(commands, process.argv.slice(2));
