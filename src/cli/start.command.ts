import type { CliCommand } from './command-line.js';

export const start: CliCommand = {
  name: 'start',
  summary: 'Start the server; the environment configures it.',
  examples: ['parley start', 'PORT=8080 parley start'],
  run: async () => {
    await import('../main.js');
    return 0;
  },
};
