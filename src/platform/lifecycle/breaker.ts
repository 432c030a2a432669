import type { CircuitBreakerPolicy, IBreaker } from 'cockatiel';
import type { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { spanned } from '../logging/tracing.js';

export type BreakerState = 'closed' | 'half_open' | 'open';

/** The dependency failed so often that it is not asked at present. */
export class BreakerOpenError extends Error {
  constructor(readonly dependency: string) {
    super(`${dependency} is not asked while it recovers`);
    this.name = 'BreakerOpenError';
  }
}

const IN_A_ROW = 5;
const SHARE = 0.5;
const WINDOW_MS = 10_000;
const LEAST_PER_SECOND = 2;
const REST_MS = 5000;
/** Marks the library's refusal. */
const MARK = 'isBrokenCircuitError';
const figures: Record<BreakerState, number> = { closed: 0, half_open: 1, open: 2 };

/**
 * Keeps calls from a dependency that does not answer. Opens after five failures in a row, or when half of at least
 * twenty calls within 10 s failed; after 5 s one call may try, and decides.
 */
export class Breaker {
  state: BreakerState = 'closed';
  private policy: Promise<CircuitBreakerPolicy> | undefined;

  /** @param isFault which errors say that the dependency is ill; the others are its answers */
  constructor(
    readonly dependency: string,
    private readonly isFault: (error: unknown) => boolean,
    private readonly log: Log,
  ) {
    metrics.breakerState.set({ dependency }, 0);
  }

  /** @throws BreakerOpenError without calling, and whatever `work` throws */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const { dependency } = this;
    return spanned({ name: dependency, kind: 'client', facts: { 'peer.service': dependency } }, async () => {
      this.policy ??= this.create();
      const policy = await this.policy;
      try {
        const { answer } = await policy.execute(() => this.judged(work));
        return await answer;
      } catch (error) {
        throw error instanceof Error && MARK in error ? new BreakerOpenError(dependency) : error;
      }
    });
  }

  /** A refusal is an answer: whoever refuses is well. */
  private async judged<Result>(work: () => Promise<Result>): Promise<{ answer: Promise<Result> }> {
    const answer = work();
    try {
      await answer;
    } catch (error) {
      if (this.isFault(error)) throw error;
    }
    return { answer };
  }

  private async create(): Promise<CircuitBreakerPolicy> {
    const { circuitBreaker, ConsecutiveBreaker, handleAll, SamplingBreaker } = await import('cockatiel');
    const policy = circuitBreaker(handleAll, {
      halfOpenAfter: REST_MS,
      breaker: either(
        new ConsecutiveBreaker(IN_A_ROW),
        new SamplingBreaker({ threshold: SHARE, duration: WINDOW_MS, minimumRps: LEAST_PER_SECOND }),
      ),
    });
    policy.onBreak(() => this.become('open'));
    policy.onHalfOpen(() => this.become('half_open'));
    policy.onReset(() => this.become('closed'));
    return policy;
  }

  private become(state: BreakerState): void {
    const { dependency } = this;
    const before = this.state;
    this.state = state;
    metrics.breakerState.set({ dependency }, figures[state]);
    // A failed try opens it again, which is no news.
    if (state === 'open' && before === 'closed') this.log.warn('breaker.open', { dependency });
    if (state === 'closed') this.log.info('breaker.closed', { dependency });
  }
}

/** Both count every call; either one may open. */
function either(a: IBreaker, b: IBreaker): IBreaker {
  return {
    state: undefined,
    success(state) {
      a.success(state);
      b.success(state);
    },
    failure(state) {
      const [opens, opensToo] = [a.failure(state), b.failure(state)];
      return opens || opensToo;
    },
  };
}
