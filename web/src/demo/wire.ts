/**
 * Everybody here shares one browser and so one network. This gives each person a cable of their own, which can be pulled
 * out, or made to lose messages: what travels is looked at below the client, which knows nothing of it and must cope.
 */
export class Wire {
  isCut = false;
  /** Whether every second live change on its way in is lost. */
  isLeaky = false;
  lost = 0;
  private seen = 0;
  private readonly sockets = new Set<WebSocket>();

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.close();
  }

  mend(): void {
    this.isCut = false;
    // What browsers tell when a network is back; the client then tries at once.
    window.dispatchEvent(new Event('online'));
  }

  attach(socket: WebSocket): void {
    this.sockets.add(socket);
    socket.addEventListener('close', () => this.sockets.delete(socket));
    if (this.isCut) socket.close();
  }

  /** Whether what arrives reaches the client. */
  lets(data: unknown): boolean {
    if (this.isCut) return false;
    if (!this.isLeaky || typeof data !== 'string' || !data.includes('["change"') || ++this.seen % 2 === 1) return true;
    this.lost++;
    return false;
  }
}

const wires = new Map<string, Wire>();
const wireOfSocket = new WeakMap<WebSocket, Wire>();

/** The cable of a person, by user id. */
export function wireOf(userId: string): Wire {
  const wire = wires.get(userId) ?? new Wire();
  wires.set(userId, wire);
  return wire;
}

/** Whose token stands in a text; every request and the first packet of each socket carry one. */
function holderOf(text: string): Wire | undefined {
  const payload = /\beyJ[\w-]+\.(eyJ[\w-]+)\./.exec(text)?.[1];
  if (payload === undefined) return undefined;
  const { sub } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: string };
  return sub === undefined ? undefined : wires.get(sub);
}

/** Puts the cables between this page and its network. Once, before the first client connects. */
export function installWires(): void {
  const request = window.fetch.bind(window);
  window.fetch = (input, init) => {
    const wire = holderOf(new Headers(init?.headers).get('authorization') ?? '');
    return wire?.isCut ? Promise.reject(new TypeError('The cable is cut')) : request(input, init);
  };

  const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')?.value as (
    this: WebSocket,
    data: unknown,
  ) => void;
  WebSocket.prototype.send = function (data) {
    if (!wireOfSocket.has(this) && typeof data === 'string') {
      const wire = holderOf(data);
      if (wire) {
        wireOfSocket.set(this, wire);
        wire.attach(this);
      }
    }
    if (!wireOfSocket.get(this)?.isCut) send.call(this, data);
  };

  const message = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  if (!message?.set) return;
  Object.defineProperty(WebSocket.prototype, 'onmessage', {
    ...message,
    set(this: WebSocket, listener: ((event: MessageEvent) => void) | null) {
      message.set?.call(
        this,
        listener &&
          ((event: MessageEvent) => void (wireOfSocket.get(this)?.lets(event.data) === false || listener(event))),
      );
    },
  });
}
