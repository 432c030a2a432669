declare module 'pino-roll' {
  import type { DestinationStream } from 'pino';
  interface RollOptions {
    file: string;
    size?: string;
    frequency?: 'daily' | 'hourly' | number;
    mkdir?: boolean;
    limit?: { count: number };
  }
  export default function roll(options: RollOptions): Promise<DestinationStream>;
}
