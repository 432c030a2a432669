// Loaded into a server before its own code: a SIGTERM of its own at the moment that SIGNAL_AT names, so that it always
// comes in that phase.
import childProcess from 'node:child_process';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { Server } from 'node:net';

const signal = () => process.kill(process.pid, 'SIGTERM');

const moments = {
  /** Before the port is bound: it is bound once the signal was heard. */
  listening() {
    const listen = Reflect.get(Server.prototype, 'listen');
    Server.prototype.listen = function (...args) {
      Server.prototype.listen = listen;
      // Waiting for a signal keeps no process alive.
      const alive = setInterval(() => undefined, 1_000);
      process.once('SIGTERM', () => {
        clearInterval(alive);
        setImmediate(() => listen.apply(this, args));
      });
      signal();
      return this;
    };
  },
  /** What reads the environment is being loaded. */
  config() {
    const hooks = registerHooks({
      load(url, context, next) {
        if (url.endsWith('/start.js')) {
          hooks.deregister();
          signal();
        }
        return next(url, context);
      },
    });
  },
  /** A data directory is being made. */
  embedded() {
    const { spawn } = childProcess;
    childProcess.spawn = (file, args, options) => {
      const child = spawn(file, args, options);
      if ([file, ...args].some((word) => word.endsWith('/initdb'))) signal();
      return child;
    };
    syncBuiltinESMExports();
  },
};

moments[process.env.SIGNAL_AT]?.();
