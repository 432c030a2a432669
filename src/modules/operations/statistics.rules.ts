/** Percent of blocks that PostgreSQL had at hand; 100 where nothing was asked for. */
export const cacheHitRate = (hit: number, read: number): number =>
  hit + read === 0 ? 100 : Math.round((hit / (hit + read)) * 1000) / 10;
