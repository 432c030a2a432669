// Only node: modules and the boot state are imported statically: the port answers probes before anything else loads.
import type { RequestListener } from 'node:http';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { packageVersion } from './platform/config/package-root.js';
import { createBootResponder } from './platform/lifecycle/boot-responder.js';
import { BootState } from './platform/lifecycle/boot-state.js';
import { createServer } from './platform/lifecycle/http-without-fetch.js';
import { shortenLookups } from './platform/lifecycle/module-lookup.js';
import { StopSignals } from './platform/lifecycle/stop-signals.js';
import { httpTimeouts, limitBody, listenOn, ListenError } from './platform/lifecycle/listener.js';

enableCompileCache();
const lookups = shortenLookups(new URL('.', import.meta.url).href);

const boot = new BootState(packageVersion());
const signals = new StopSignals();
// One closure, so that replacing the handler also reaches keep-alive connections that are open already.
let handler: RequestListener = createBootResponder(boot);
const server = createServer(httpTimeouts, (request, response) => {
  limitBody(request, response);
  handler(request, response);
});

try {
  await listenOn(server, process.env['PORT'], process.env['HOST']);
  boot.enter('config');
  const { start } = await import('./start.js');
  const running = await start({ boot, server, signal: signals.aborted });
  handler = running.handler;
  boot.enter('ready');
  running.announce();
  signals.stopWith(() => running.stop());
  flushCompileCache();
  lookups.deregister();
} catch (error) {
  const { exitCode = 1, hint } = (error ?? {}) as { exitCode?: number; hint?: string };
  if (error instanceof ListenError) process.stderr.write(`${error.message}\n`);
  else {
    const { reportBootFailure } = await import('./start-failure.js');
    await reportBootFailure(error, boot, hint);
  }
  process.exit(signals.exitCode ?? exitCode);
}
