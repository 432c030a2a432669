import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Config } from '../../platform/config/config.js';
import { Log } from '../../platform/logging/log.js';
import { Storage } from '../../platform/storage/storage.js';
import { demuxerOf } from './media.rules.js';

/** What a player needs to know beforehand. Milliseconds and pixels. */
export interface Timing {
  durationMs: number | null;
  width: number | null;
  height: number | null;
}

const UNKNOWN: Timing = { durationMs: null, width: null, height: null };
const TIMEOUT_MS = 10_000;
const LINK_S = 60;
const MAX_DURATION_S = 10 * 365 * 86_400;
/** Where such programs are. Nothing else of Parley's environment is any of their business. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin' };
const run = promisify(execFile);

const positive = z.coerce.number().positive();
const answer = z.object({
  format: z
    .object({ duration: positive.max(MAX_DURATION_S) })
    .partial()
    .optional(),
  streams: z
    .array(
      z.object({
        codec_type: z.string(),
        width: positive.optional(),
        height: positive.optional(),
        side_data_list: z.array(z.object({ rotation: z.coerce.number() }).partial()).default([]),
      }),
    )
    .default([]),
});

/** Asks ffprobe how long a sound or film is, if there is an ffprobe. What it cannot read is only of unknown length. */
@Injectable()
export class ProbeService {
  private absent = false;

  constructor(
    private readonly storage: Storage,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  async probe(key: string, mime: string, timeoutMs = TIMEOUT_MS): Promise<Timing> {
    const demuxer = demuxerOf(mime);
    if (demuxer === undefined || this.absent) return UNKNOWN;
    const { place, protocols } = await this.locate(key, mime);
    // The container is the one that was found by its first bytes: others, playlists above all, could name further files.
    const show = 'format=duration:stream=codec_type,width,height:stream_side_data=rotation';
    const safely = ['-v', 'error', '-protocol_whitelist', protocols, '-f', demuxer];
    try {
      const { stdout } = await run(
        this.config.FFPROBE_PATH,
        [...safely, '-show_entries', show, '-of', 'json', '-i', place],
        { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 65_536, env: environment },
      );
      return timingOf(stdout, mime);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === 'ENOENT' || code === 'EACCES') {
        this.absent = true;
        this.log.info('media.no_ffprobe', {}, 'without ffprobe, sound and film have no duration; see FFPROBE_PATH');
      } else this.log.info('media.not_probed', { mime, code: typeof code === 'number' ? code : 'killed' });
      return UNKNOWN;
    }
  }

  private async locate(key: string, mime: string): Promise<{ place: string; protocols: string }> {
    const { access } = this.storage;
    if (access.kind === 'own') {
      const { root, path } = access.locate(key);
      return { place: join(root, path), protocols: 'file' };
    }
    const place = await access.signDownload({ key, type: mime, disposition: 'attachment', expiresInS: LINK_S });
    return { place, protocols: 'http,https,tcp,tls' };
  }
}

function timingOf(stdout: string, mime: string): Timing {
  const { format, streams } = answer.parse(JSON.parse(stdout));
  // Sound has pictures, too: its cover.
  const film = mime.startsWith('video/') ? streams.find(({ codec_type }) => codec_type === 'video') : undefined;
  const turned = film?.side_data_list.some(({ rotation = 0 }) => Math.abs(rotation) % 180 === 90) ?? false;
  const { width = null, height = null } = film ?? {};
  const durationMs = format?.duration === undefined ? null : Math.round(format.duration * 1000);
  return turned ? { durationMs, width: height, height: width } : { durationMs, width, height };
}
