import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

export const RETURNS = 'parley:returns';

/** What a route answers when it succeeds; OpenAPI and the contract tests read it. */
export interface Returned {
  status: number;
  schema: z.ZodType | null;
}

/** Status and schema of a route's success; without a schema there is no body. Services make the view, this only says so. */
export const Returns = (status: number, schema: z.ZodType | null = null) =>
  applyDecorators(HttpCode(status), SetMetadata(RETURNS, { status, schema } satisfies Returned));
