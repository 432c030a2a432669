import { ConsoleLogger as Real } from '@nestjs/common';
import { ConsoleLogger } from './nest-console.js';

const says = ['log', 'fatal', 'error', 'warn', 'debug', 'verbose', 'setContext'] as const;

describe('the console that Nest has while a process starts', () => {
  it('takes what Nest says to its own', () => {
    const [real, ours] = [new Real(), new ConsoleLogger()];
    for (const name of says)
      expect([name, typeof real[name], typeof ours[name]]).toEqual([name, 'function', 'function']);
  });

  it('writes to standard error, and nothing of what is said in passing', () => {
    const written: string[] = [];
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    try {
      const console = new ConsoleLogger();
      console.error('cannot start', 'Nest');
      console.debug();
    } finally {
      write.mockRestore();
    }
    expect(written).toEqual(['cannot start Nest\n']);
  });
});
