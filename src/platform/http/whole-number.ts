import { z } from 'zod';

const plain = /^-?\d+(\.\d+)?$/;

/** A whole number in a path or a query, as people write it: Number() alone would also take "1e2", "0x10", " 5" and "". */
export const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (given) => (typeof given === 'string' && plain.test(given) ? Number(given) : given),
    z.number().int().min(min).max(max),
  );
