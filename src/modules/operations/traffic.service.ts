import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../../platform/clock/clock.js';
import { type ErrorCode, errorCodes, statusOf } from '../../platform/errors/error-codes.js';
import { metrics } from '../../platform/logging/metrics.js';
import { between, type Figures, nothing, plus, type Totals, totals } from './traffic.rules.js';

const probes = /^(\/(health|livez|ready|readyz|startup|startupz|metrics)\b|\/api\/(v1\/)?(health|ready)\b)/;
const SERVER_ERROR = 500;

/** REST requests and socket commands of this replica, taken from its metrics so that counting costs requests nothing. */
@Injectable()
export class Traffic {
  private last: Totals = nothing;
  private commands = { count: 0, at: monotonicMs() };
  /** Socket commands per second between the last two calls of `sinceLast`. */
  commandsPerSec = 0;

  /** Requests since the last call; probes do not count. */
  async sinceLast(): Promise<Figures> {
    const [http, socket] = await Promise.all([metrics.httpDuration.get(), metrics.wsEventDuration.get()]);
    const commands = totals(
      socket.values,
      () => true,
      ({ result }) => isServerError(String(result)),
    );
    this.pace(commands.count);
    const requests = totals(
      http.values,
      ({ http_route: route }) => !probes.test(String(route)),
      ({ http_response_status_code: status }) => Number(status) >= SERVER_ERROR,
    );
    const now = plus(requests, commands);
    const figures = between(this.last, now);
    this.last = now;
    return figures;
  }

  private pace(count: number): void {
    const at = monotonicMs();
    const seconds = Math.max(1, at - this.commands.at) / 1000;
    this.commandsPerSec = Math.round(((count - this.commands.count) / seconds) * 10) / 10;
    this.commands = { count, at };
  }
}

const isServerError = (result: string): boolean =>
  result in errorCodes && statusOf(result as ErrorCode) >= SERVER_ERROR;
