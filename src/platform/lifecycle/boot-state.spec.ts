import { BootState } from './boot-state.js';

describe('the state of the boot', () => {
  it('names the phase and what each finished one took', () => {
    const boot = new BootState('1.0.0');
    boot.enter('connecting', { attempt: 1 });
    boot.enter('connecting', { attempt: 2 });
    boot.enter('starting');
    expect(boot.phase).toBe('starting');
    expect(boot.detail).toEqual({});
    expect(boot.finished.map(({ phase }) => phase)).toEqual(['listening', 'connecting']);
    expect(boot.readyOnce).toBe(false);
  });

  it('does not go back from ready, whoever reports late, and on to draining', () => {
    const boot = new BootState('1.0.0');
    boot.enter('starting');
    boot.enter('ready');
    boot.enter('starting', { attempt: 2 });
    expect({ phase: boot.phase, detail: boot.detail }).toEqual({ phase: 'ready', detail: {} });
    boot.enter('draining');
    boot.enter('starting');
    expect(boot.phase).toBe('draining');
  });
});
