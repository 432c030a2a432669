import type { IndexStatistics, TableStatistics } from './database-statistics.repository.js';
import { indexAdvice } from './index-advice.rules.js';

const table = (change: Partial<TableStatistics>): TableStatistics => ({
  table: 'messages',
  bytes: 50_000_000,
  rows: 10_000,
  deadRows: 0,
  sequentialScans: 1000,
  sequentialRows: 10_000_000,
  indexScans: 999,
  lastVacuum: null,
  lastAnalyze: null,
  ...change,
});
const index = (change: Partial<IndexStatistics>): IndexStatistics => ({
  table: 'messages',
  index: 'messages_body_idx',
  bytes: 1_000_000,
  scans: 0,
  unique: false,
  ...change,
});

describe('index advice', () => {
  it('names a large table that is mostly read whole', () => {
    expect(indexAdvice([table({})], [])).toEqual([
      {
        table: 'messages',
        index: null,
        advice: 'missing',
        reason: 'read whole 1000 times, through an index 999 times',
      },
    ]);
  });

  it.each([
    ['small', { rows: 9999 }],
    ['seldom read whole', { sequentialScans: 999 }],
    ['more often read through an index', { indexScans: 1000 }],
  ])('says nothing of a table that is %s', (_, change) => {
    expect(indexAdvice([table(change)], [])).toEqual([]);
  });

  it('names a large index that nothing has used', () => {
    expect(indexAdvice([], [index({})])).toEqual([
      { table: 'messages', index: 'messages_body_idx', advice: 'unused', reason: 'never used and 1 MB large' },
    ]);
  });

  it.each([
    ['used', { scans: 1 }],
    ['small', { bytes: 999_999 }],
    ['unique, so that it guards what is stored', { unique: true }],
  ])('says nothing of an index that is %s', (_, change) => {
    expect(indexAdvice([], [index(change)])).toEqual([]);
  });
});
