// Messages through open clients, with every delivery accounted for.
import { percentiles, round, spread } from './measure.mjs';

const BODY_BYTES = 200;
const WARM_UP_MS = 1000;
const DRAIN_LIMIT_MS = 10_000;
let nextNumber = 0;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One run over a world; `members[i]` are the open clients of `conversations[i]`. */
export class Traffic {
  #subject;
  #conversations;
  #members;
  /** Per message: when it was meant to be sent. Numbers go on from one run to the next, so a late one is not taken for new. */
  #intended = [];
  #firstNumber = nextNumber;
  #conversationOf = [];
  #ackedOf = [];
  #latencies = [];
  #seen;
  #counted = { acked: 0, delivered: 0, doubled: 0, misrouted: 0 };
  #measuring = false;

  constructor(subject, { conversations, members }) {
    this.#subject = subject;
    this.#conversations = conversations;
    this.#members = members;
    this.#seen = new Map();
    members.forEach((clients, conversation) => {
      for (const client of clients) {
        const seen = new Set();
        this.#seen.set(client, seen);
        client.onMessage = (number, of) => this.#delivered(seen, conversation, number, of);
        client.onAck = (number) => this.#acked(number);
      }
    });
  }

  /** Sends at moments fixed beforehand, whatever the server does: a late answer costs what its user would have waited. */
  open(perSecond, seconds) {
    return this.#run(seconds, (running) => {
      const startedAt = performance.now();
      let sent = 0;
      const tick = () => {
        if (!running()) return;
        // The first is due at once; without the 1 each would be late by one interval.
        const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1;
        for (; sent < due; sent++)
          this.#send(sent % this.#conversations.length, sent, startedAt + (sent * 1000) / perSecond);
        setTimeout(tick, 1);
      };
      tick();
    });
  }

  /** Keeps so many messages in flight in every conversation; each ack lets the next one go. */
  closed(inFlight, seconds) {
    return this.#run(seconds, (running) => {
      this.#conversations.forEach((_, conversation) => {
        let turn = 0;
        const next = () => {
          if (!running()) return;
          this.#ackedOf[nextNumber - this.#firstNumber] = next;
          this.#send(conversation, turn++, performance.now());
        };
        for (let i = 0; i < inFlight; i++) next();
      });
    });
  }

  async #run(seconds, drive) {
    const until = performance.now() + WARM_UP_MS + seconds * 1000;
    drive(() => performance.now() < until);
    await pause(WARM_UP_MS);
    const before = { ...this.#counted, ...this.#subject.usage() };
    this.#measuring = true;
    await pause(until - performance.now());
    const after = { ...this.#counted, ...this.#subject.usage() };
    this.#measuring = false;
    const lost = await this.#drain();
    return this.#report(before, after, lost);
  }

  /** Waits for what is under way; answers how many deliveries never came. */
  async #drain() {
    const expected = () => this.#conversationOf.reduce((sum, i) => sum + this.#members[i].length, 0);
    for (const until = performance.now() + DRAIN_LIMIT_MS; performance.now() < until; await pause(20)) {
      if (this.#counted.delivered + this.#counted.misrouted >= expected()) break;
    }
    return expected() - this.#counted.delivered;
  }

  #report(before, after, lost) {
    const seconds = (after.at - before.at) / 1000;
    const delivered = after.delivered - before.delivered;
    const per1000 = (kind) => round(((after[kind] - before[kind]) * 1000) / delivered, 4);
    const { doubled, misrouted } = this.#counted;
    const failures = this.#members.flat().reduce((sum, client) => sum + client.failures, 0);
    return {
      messagesPerSecond: round((after.acked - before.acked) / seconds, 0),
      deliveriesPerSecond: round(delivered / seconds, 0),
      ...percentiles(this.#latencies),
      ...spread(this.#latencies),
      cpuPer1000: { server: per1000('server'), database: per1000('database') },
      residentMiB: round(this.#subject.residentKiB / 1024, 0),
      errors: { lost, doubled, misrouted, failures },
    };
  }

  #send(conversation, turn, intended) {
    const number = nextNumber++;
    this.#intended[number - this.#firstNumber] = intended;
    this.#conversationOf.push(conversation);
    const clients = this.#members[conversation];
    const stamp = `${number}.${conversation}.`;
    clients[turn % clients.length].send(number, this.#conversations[conversation], stamp.padEnd(BODY_BYTES, 'x'));
  }

  #acked(number) {
    if (number < this.#firstNumber) return;
    this.#counted.acked += 1;
    const next = this.#ackedOf[number - this.#firstNumber];
    if (!next) return;
    this.#ackedOf[number - this.#firstNumber] = undefined;
    next();
  }

  #delivered(seen, conversation, number, of) {
    if (number < this.#firstNumber) return;
    if (of !== conversation) this.#counted.misrouted += 1;
    else if (seen.has(number)) this.#counted.doubled += 1;
    else {
      seen.add(number);
      this.#counted.delivered += 1;
      if (this.#measuring) this.#latencies.push(performance.now() - this.#intended[number - this.#firstNumber]);
    }
  }
}
