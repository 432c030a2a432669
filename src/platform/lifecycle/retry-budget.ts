import { metrics } from '../logging/metrics.js';

const SHARE = 0.1;
const MOST = 10;

/**
 * Lets a tenth of the calls be repeated, with ten in hand at the start: what is down for everybody is not asked three
 * times as often because of it. A token bucket that calls fill and repetitions empty.
 */
export class RetryBudget {
  private tokens = MOST;

  constructor(private readonly dependency: string) {}

  /** A first attempt. */
  deposit(): void {
    this.tokens = Math.min(MOST, this.tokens + SHARE);
  }

  /** Whether another attempt is affordable; takes it from the budget when so. */
  withdraw(): boolean {
    if (this.tokens < 1) {
      metrics.retryBudgetExhausted.inc({ dependency: this.dependency });
      return false;
    }
    this.tokens -= 1;
    return true;
  }
}

/** What of an AWS client decides about repeating. */
interface RetryStrategy {
  acquireInitialRetryToken: (...args: never[]) => Promise<unknown>;
  refreshRetryTokenForRetry: (...args: never[]) => Promise<unknown>;
}

/** Makes an AWS client, which does its own retries, ask the budget before each. */
export function budgetRetries(client: { config: { retryStrategy: () => Promise<object> } }, budget: RetryBudget): void {
  const original = client.config.retryStrategy;
  client.config.retryStrategy = async () => {
    const strategy = (await original()) as RetryStrategy;
    const budgeted: RetryStrategy = Object.create(strategy) as RetryStrategy;
    budgeted.acquireInitialRetryToken = (...args) => {
      budget.deposit();
      return strategy.acquireInitialRetryToken(...args);
    };
    budgeted.refreshRetryTokenForRetry = async (...args) => {
      // What the client makes of this is the error of the last attempt.
      if (!budget.withdraw()) throw new Error('the retry budget is used up');
      return strategy.refreshRetryTokenForRetry(...args);
    };
    return budgeted;
  };
}
