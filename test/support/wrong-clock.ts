import { existsSync } from 'node:fs';

const LIBFAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
].find(existsSync);

/** Whether a process can be given another clock on this machine. */
export const canShiftClock = LIBFAKETIME !== undefined;

/**
 * The environment of a process whose machine has that clock: `clock` as libfaketime writes it, such as `+10m`. Monotonic
 * time stays true. Empty where the clock cannot be shifted.
 */
export const wrongClock = (clock: string | undefined): Record<string, string> =>
  clock && LIBFAKETIME ? { LD_PRELOAD: LIBFAKETIME, FAKETIME: clock, DONT_FAKE_MONOTONIC: '1' } : {};
