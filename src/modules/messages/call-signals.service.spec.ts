import type { EventsService } from '../../platform/events/events.service.js';
import type { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { CallSignalsService } from './call-signals.service.js';
import { CallSignal } from './messages.events.js';

describe('signals of calls', () => {
  /** Replicas that answer with one socket each; the first is this one. */
  let answering: string[];
  let signals: CallSignalsService;
  beforeEach(() => {
    jest.useFakeTimers();
    answering = ['here', 'there'];
    const living = async () => ['here', 'there'].map((replicaId) => ({ replicaId }));
    const hint = ({ id }: CallSignal) => {
      for (const replicaId of answering) signals.count(id, { replicaId, sockets: 1 });
    };
    signals = new CallSignalsService(
      { hint } as unknown as EventsService,
      { replicaId: 'here', living } as unknown as ReplicaLease,
    );
  });
  afterEach(() => jest.useRealTimers());
  const signal = () => new CallSignal('call', { userId: 'ada', deviceId: 'phone' }, { userId: 'ben' }, {});

  it('are counted over all replicas', async () => {
    expect(await signals.send(signal())).toBe(2);
  });

  it('wait for a replica that has stopped once, and again when it has answered since', async () => {
    answering = ['here'];
    const first = signals.send(signal());
    await jest.runAllTimersAsync();
    expect(await first).toBe(1);
    // No time passes here: one that waited would never end.
    expect(await signals.send(signal())).toBe(1);

    signals.count('of somebody else', { replicaId: 'there', sockets: 0 });
    const waiting = signals.send(signal());
    await jest.advanceTimersByTimeAsync(0);
    expect(jest.getTimerCount()).toBe(1);
    await jest.runAllTimersAsync();
    expect(await waiting).toBe(1);
  });
});
