import { budgetRetries, RetryBudget } from './retry-budget.js';

it('affords ten repetitions at once, and then one for ten calls', () => {
  const budget = new RetryBudget('test');
  const repeat = (times: number) => Array.from({ length: times }, () => budget.withdraw()).filter(Boolean).length;
  expect(repeat(20)).toBe(10);
  for (let i = 0; i < 31; i++) budget.deposit();
  expect(repeat(20)).toBe(3);
  for (let i = 0; i < 1000; i++) budget.deposit();
  expect(repeat(20)).toBe(10);
});

it('stands in front of the retries of an AWS client', async () => {
  const strategy = {
    asked: 0,
    acquireInitialRetryToken: () => Promise.resolve('first'),
    refreshRetryTokenForRetry(this: { asked: number }) {
      this.asked += 1;
      return Promise.resolve('next');
    },
    recordSuccess: () => 'recorded',
  };
  const client = { config: { retryStrategy: () => Promise.resolve(strategy) } };
  budgetRetries(client, new RetryBudget('test'));
  const budgeted = await client.config.retryStrategy();
  expect([await budgeted.acquireInitialRetryToken(), budgeted.recordSuccess()]).toEqual(['first', 'recorded']);
  for (let i = 0; i < 10; i++) await budgeted.refreshRetryTokenForRetry();
  await expect(budgeted.refreshRetryTokenForRetry()).rejects.toThrow('budget');
  expect(strategy.asked).toBe(10);
});
