import { Injectable } from '@nestjs/common';
import { EventsService } from '../../platform/events/events.service.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { CallSignal, CallSignalDelivered, type CallSignalDeliveredPayload } from './messages.events.js';

/** A replica that has died is not waited for any longer. */
const ANSWERS_WITHIN_MS = 1000;

interface Tally {
  /** Sockets by replica: an answer may come twice. */
  answers: Map<string, number>;
  /** Replicas whose answer is waited for. */
  missing: Set<string>;
  complete: () => void;
}

/** Passes signals to every replica and adds up to how many sockets they went. */
@Injectable()
export class CallSignalsService {
  private readonly open = new Map<string, Tally>();
  /** Replicas that have a lease and let the last signal go unanswered: not waited for until they answer again. */
  private readonly silent = new Set<string>();

  constructor(
    private readonly events: EventsService,
    private readonly lease: ReplicaLease,
  ) {}

  /** Sockets of all replicas that got it, as far as they answered in time. Never stored, may be lost. */
  async send(signal: CallSignal): Promise<number> {
    const living = new Set((await this.lease.living()).map(({ replicaId }) => replicaId)).add(this.lease.replicaId);
    for (const id of this.silent) if (!living.has(id)) this.silent.delete(id);
    const answers = new Map<string, number>();
    const missing = new Set([...living].filter((id) => !this.silent.has(id)));
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ANSWERS_WITHIN_MS).unref();
      const complete = () => {
        clearTimeout(late);
        resolve();
      };
      this.open.set(signal.id, { answers, missing, complete });
      this.events.hint(signal);
    });
    this.open.delete(signal.id);
    for (const id of missing) this.silent.add(id);
    return [...answers.values()].reduce((sum, sockets) => sum + sockets, 0);
  }

  /** This replica has passed a signal on. */
  passedOn(id: string, sockets: number): void {
    const { replicaId } = this.lease;
    if (this.open.has(id)) this.count(id, { replicaId, sockets });
    else this.events.hint(new CallSignalDelivered(id, replicaId, sockets));
  }

  /** A replica has answered; to signals of others, or late, it only says that it lives. */
  count(id: string, { replicaId, sockets }: CallSignalDeliveredPayload): void {
    this.silent.delete(replicaId);
    const tally = this.open.get(id);
    tally?.answers.set(replicaId, sockets);
    if (tally?.missing.delete(replicaId) && tally.missing.size === 0) tally.complete();
  }
}
