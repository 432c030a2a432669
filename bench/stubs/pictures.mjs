// Renders one picture `count` times in `lanes` at once with Parley's own code, in a process of its own: its peak is the answer.
import { readFileSync } from 'node:fs';
import { ImageService } from '../../dist/modules/media/image.service.js';

const [file, mime, count, lanes] = process.argv.slice(2);
const bytes = readFileSync(file);
const images = new ImageService();
await images.render(bytes, mime);
let left = Number(count);
const startedAt = performance.now();
await Promise.all(
  Array.from({ length: Number(lanes) }, async () => {
    while (left-- > 0) await images.render(bytes, mime);
  }),
);
process.send({ seconds: (performance.now() - startedAt) / 1000, peakMiB: process.resourceUsage().maxRSS / 1024 });
