import { Injectable } from '@nestjs/common';
import { EventsService } from '../../platform/events/events.service.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { CallSignal, CallSignalDelivered, type CallSignalDeliveredPayload } from './messages.events.js';

/** A replica that has died is not waited for any longer. */
const ANSWERS_WITHIN_MS = 1000;

interface Tally {
  /** Sockets by replica: an answer may come twice. */
  answers: Map<string, number>;
  replicas: number;
  complete: () => void;
}

/** Passes signals to every replica and adds up to how many sockets they went. */
@Injectable()
export class CallSignalsService {
  private readonly open = new Map<string, Tally>();

  constructor(
    private readonly events: EventsService,
    private readonly lease: ReplicaLease,
  ) {}

  /** Sockets of all replicas that got it, as far as they answered in time. Never stored, may be lost. */
  async send(signal: CallSignal): Promise<number> {
    const replicas = new Set((await this.lease.living()).map(({ replicaId }) => replicaId)).add(this.lease.replicaId);
    const answers = new Map<string, number>();
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ANSWERS_WITHIN_MS).unref();
      const complete = () => {
        clearTimeout(late);
        resolve();
      };
      this.open.set(signal.id, { answers, replicas: replicas.size, complete });
      this.events.hint(signal);
    });
    this.open.delete(signal.id);
    return [...answers.values()].reduce((sum, sockets) => sum + sockets, 0);
  }

  /** This replica has passed a signal on. */
  passedOn(id: string, sockets: number): void {
    const { replicaId } = this.lease;
    if (this.open.has(id)) this.count(id, { replicaId, sockets });
    else this.events.hint(new CallSignalDelivered(id, replicaId, sockets));
  }

  /** A replica has answered; of signals of others, or late, it means nothing. */
  count(id: string, { replicaId, sockets }: CallSignalDeliveredPayload): void {
    const tally = this.open.get(id);
    tally?.answers.set(replicaId, sockets);
    if (tally && tally.answers.size >= tally.replicas) tally.complete();
  }
}
