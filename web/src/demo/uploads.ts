import { ParleyError } from '@parley/client';
import { useRef, useState } from 'preact/hooks';
import type { Person } from './person.js';

/** A picture on its way up. */
export interface UploadItem {
  key: number;
  name: string;
  /** Of the file itself, for the preview. */
  preview: string;
  /** 0 to 1. */
  progress: number;
  problem: string | null;
  /** The media id; undefined when it was refused. */
  done: Promise<string | undefined>;
}

const MAX = 10;

/** Files that wait beside a text until it is sent. */
export function useUploads({ parley }: Person) {
  const [items, setItems] = useState<readonly UploadItem[]>([]);
  const count = useRef(0);
  const change = (key: number, part: Partial<UploadItem>) =>
    setItems((now) => now.map((item) => (item.key === key ? { ...item, ...part } : item)));

  const begin = (file: File): UploadItem => {
    const key = ++count.current;
    const done = parley.api.upload(file, { onProgress: (sent, total) => change(key, { progress: sent / total }) }).then(
      ({ id }) => {
        change(key, { progress: 1 });
        return id;
      },
      (error: unknown) => {
        const problem = error instanceof ParleyError ? error.problem.detail : 'It could not be sent';
        change(key, { problem });
        return undefined;
      },
    );
    return { key, name: file.name, preview: URL.createObjectURL(file), progress: 0, problem: null, done };
  };

  return {
    items,
    add(files: Iterable<File>) {
      const pictures = [...files].filter(({ type }) => type.startsWith('image/'));
      setItems((now) => [...now, ...pictures.slice(0, MAX - now.length).map(begin)]);
    },
    remove: (key: number) => setItems((now) => now.filter((item) => item.key !== key)),
    /** Ids of all that were taken, as soon as they are there; then nothing waits any more. */
    async take(): Promise<string[]> {
      const ids = await Promise.all(items.map(({ done }) => done));
      for (const { preview } of items) URL.revokeObjectURL(preview);
      setItems([]);
      return ids.filter((id) => id !== undefined);
    },
  };
}
export type Uploads = ReturnType<typeof useUploads>;
