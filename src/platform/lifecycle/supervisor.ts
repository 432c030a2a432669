const MARK = '--supervised';
/** Long enough for the answer that announces it to leave. */
const LAST_WORDS_MS = 100;

/** Whether `npm start` watches over this process and starts it again when asked. */
export const isSupervised = (): boolean => process.argv.includes(MARK) && process.connected;

/** Sends itself the signal; the supervisor, told before, starts this process again. */
export function endAndReturn(signal: 'SIGKILL' | 'SIGTERM'): void {
  process.send?.('restart');
  setTimeout(() => process.kill(process.pid, signal), LAST_WORDS_MS);
}
