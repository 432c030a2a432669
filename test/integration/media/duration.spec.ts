import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/platform/config/config.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import { DiskStorage } from '../../../src/platform/storage/disk-storage.driver.js';
import { ProbeService } from '../../../src/modules/media/probe.service.js';
import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { diskApp, type MediaApp, ready, strictS3App } from './support.js';

/** Silence of so many seconds (RIFF WAVE, 8 bits, 8000 per second). */
function wav(seconds: number): Buffer {
  const rate = 8000;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + rate * seconds, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(rate * seconds, 40);
  return Buffer.concat([header, Buffer.alloc(rate * seconds, 128)]);
}

const installed = spawnSync('ffprobe', ['-version']).status === 0;
const sound = { mime: 'audio/wav', name: 'note.wav' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-probe-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program in the place of ffprobe. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

it.each([
  ['disk', diskApp],
  ['S3', strictS3App],
])('sound on %s has its duration where ffprobe is installed, in the file and in the message', async (_name, start) => {
  const parley = await start();
  try {
    const [ada] = (await registerMany(parley.url, 1)) as [Person];
    const durationMs = installed ? 3000 : null;
    const media = await ready(ada, wav(3), sound);
    expect(media).toMatchObject({ state: 'ready', mime: 'audio/wav', durationMs, width: null });
    const message = await send(ada, await createGroup(ada, []), { attachmentIds: [media.id] });
    expect(message.attachments).toMatchObject([{ durationMs }]);
  } finally {
    await parley.close();
  }
});

describe('ffprobe', () => {
  let parley: MediaApp;
  let ada: Person;
  beforeAll(async () => {
    const said = {
      format: { duration: '61.5' },
      streams: [
        { codec_type: 'audio' },
        { codec_type: 'video', width: 1920, height: 1080, side_data_list: [{ rotation: -90 }] },
      ],
    };
    const script = `env > ${folder}/environment\nprintf '%s\\n' "$@" > ${folder}/arguments\ncat <<'END'\n${JSON.stringify(said)}\nEND`;
    parley = await diskApp({ FFPROBE_PATH: await program('talkative', script) });
    [ada] = (await registerMany(parley.url, 1)) as [Person];
  });
  afterAll(() => parley.close());

  it('tells how long a film is, and how large as it is shown', async () => {
    const mp4 = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1');
    expect(await ready(ada, mp4, { mime: 'video/mp4' })).toMatchObject({
      durationMs: 61_500,
      width: 1080,
      height: 1920,
    });
  });

  it('takes no cover for a film', async () => {
    expect(await ready(ada, wav(1), sound)).toMatchObject({ durationMs: 61_500, width: null, height: null });
  });

  it('sees one file in one format, and nothing of the environment', async () => {
    const media = await ready(ada, wav(1), sound);
    expect(media.state).toBe('ready');
    const given = (await readFile(join(folder, 'arguments'), 'utf8')).split('\n');
    expect(given[given.indexOf('-protocol_whitelist') + 1]).toBe('file');
    expect(given[given.indexOf('-f') + 1]).toBe('wav');
    const environment = await readFile(join(folder, 'environment'), 'utf8');
    expect(environment).not.toMatch(/SECRET|DATABASE_URL|TOKEN/);
  });

  it('is not asked about texts', async () => {
    await rm(join(folder, 'arguments'), { force: true });
    await ready(ada, Buffer.from('text'), { mime: 'text/plain' });
    await expect(readFile(join(folder, 'arguments'))).rejects.toThrow('ENOENT');
  });
});

describe('an ffprobe', () => {
  const log = createLog({ level: 'silent', pretty: false, base: {} });
  const unknown = { durationMs: null, width: null, height: null };
  const probe = async (path: string): Promise<ProbeService> =>
    new ProbeService(new DiskStorage(folder), await loadConfig({ FFPROBE_PATH: path }), await log);

  it.each([
    ['is not there', () => Promise.resolve(join(folder, 'nothing'))],
    ['fails', () => program('failing', 'exit 1')],
    ['talks nonsense', () => program('nonsense', 'echo hello')],
    ['knows no duration', () => program('ignorant', `echo '{"format":{"duration":"N/A"},"streams":[]}'`)],
    ['says too much', () => program('verbose', 'yes')],
  ])('that %s costs the duration and nothing else', async (_what, make) => {
    const service = await probe(await make());
    for (const _ of [1, 2]) expect(await service.probe('media/any', 'audio/wav')).toEqual(unknown);
  });

  it('that hangs is ended', async () => {
    const service = await probe(await program('hanging', 'exec sleep 600'));
    expect(await service.probe('media/any', 'audio/wav', 200)).toEqual(unknown);
  });
});
