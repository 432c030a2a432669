import { Injectable } from '@nestjs/common';
import { Log } from '../logging/log.js';
import { Breaker, type BreakerState } from './breaker.js';

/** One breaker per dependency, whoever asks for it. */
@Injectable()
export class Breakers {
  private readonly known = new Map<string, Breaker>();

  constructor(private readonly log: Log) {}

  /** @param isFault which errors say that the dependency is ill; all by default. The first caller decides */
  of(dependency: string, isFault: (error: unknown) => boolean = () => true): Breaker {
    const breaker = this.known.get(dependency) ?? new Breaker(dependency, isFault, this.log);
    this.known.set(dependency, breaker);
    return breaker;
  }

  /** For the detailed page. */
  states(): Record<string, BreakerState> {
    return Object.fromEntries([...this.known].map(([dependency, { state }]) => [dependency, state]));
  }
}
