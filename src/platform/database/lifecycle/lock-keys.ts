/** Ours first, then stock Prisma's. The order is fixed and stock takes only its own, so there is no cycle. */
export const appKey = 42424242;
export const prismaKey = 72707369;
