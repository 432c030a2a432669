import { Injectable } from '@nestjs/common';
import type { Sharp } from 'sharp';

/** An image written anew. Pixels. */
export interface Rendition {
  bytes: Buffer;
  mime: string;
  width: number;
  height: number;
}
export interface Renditions {
  original: Rendition;
  thumb: Rendition;
  medium: Rendition;
  blurhash: string;
}

/** The content cannot be shown; `reason` is what the owner is told. */
export class UnacceptableImage extends Error {
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
    this.name = 'UnacceptableImage';
  }
}

/** All frames together. A decoded pixel takes 4 bytes, and larger pictures than this come from no camera. */
const MAX_PIXELS = 120_000_000;
const MAX_FRAMES = 500;
const TIMEOUT_S = 30;
const THUMB = 320;
const MEDIUM = 1280;
const HASH_SIDE = 32;

/**
 * Writes images anew: upright, without metadata, without anything behind the picture. Decoding is where hostile files do
 * harm, so the header is believed only as far as it refuses.
 */
@Injectable()
export class ImageService {
  /** @throws UnacceptableImage */
  async render(bytes: Buffer, mime: string): Promise<Renditions> {
    const { default: sharp } = await import('sharp');
    // One thread per image: how many run at once is decided by who calls.
    sharp.concurrency(1);
    sharp.cache(false);
    const open = (animated: boolean): Sharp =>
      sharp(bytes, { animated, limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true }).timeout({
        seconds: TIMEOUT_S,
      });
    try {
      const { width, height, pages = 1 } = await open(false).metadata();
      if (pages > MAX_FRAMES) throw new UnacceptableImage('too_many_frames');
      if (width * height * pages > MAX_PIXELS) throw new UnacceptableImage('too_many_pixels');
      const animated = pages > 1;
      // Animations have no orientation.
      const whole = animated ? open(true) : open(false).autoOrient();
      const original = await write(as(whole, mime), mime, pages);
      const [thumb, medium, blurhash] = [
        await shrink(open(false), THUMB),
        await shrink(open(false), MEDIUM),
        await hash(open(false)),
      ];
      return { original, thumb, medium, blurhash };
    } catch (error) {
      if (error instanceof UnacceptableImage) throw error;
      const tooLarge = error instanceof Error && error.message.includes('pixel limit');
      throw new UnacceptableImage(tooLarge ? 'too_many_pixels' : 'unreadable_image', { cause: error });
    }
  }
}

function as(image: Sharp, mime: string): Sharp {
  switch (mime) {
    case 'image/jpeg':
      return image.jpeg({ quality: 88 });
    case 'image/webp':
      return image.webp({ quality: 88 });
    case 'image/gif':
      return image.gif();
    case 'image/avif':
      return image.avif({ effort: 2 });
    default:
      return image.png();
  }
}

async function write(image: Sharp, mime: string, pages = 1): Promise<Rendition> {
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  // Frames of an animation come back as one tall picture.
  return { bytes: data, mime, width: info.width, height: info.pageHeight ?? Math.round(info.height / pages) };
}

const shrink = (image: Sharp, side: number): Promise<Rendition> =>
  write(
    image
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 78 }),
    'image/webp',
  );

async function hash(image: Sharp): Promise<string> {
  const { encode } = await import('blurhash');
  const { data, info } = await image
    .autoOrient()
    .resize({ width: HASH_SIDE, height: HASH_SIDE, fit: 'inside' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return encode(new Uint8ClampedArray(data), info.width, info.height, 4, 3);
}
