import { globSync, readFileSync } from 'node:fs';
import * as rxjs from 'rxjs';
import * as operators from 'rxjs/operators';
import * as inOneFile from './rxjs-in-one-file.js';

const importing = /import \{([^}]*)\} from ['"]rxjs\/operators['"]/g;

describe('rxjs in one file', () => {
  it('has every name of the package', () => {
    expect(Object.keys(inOneFile).toSorted()).toEqual(Object.keys(rxjs).toSorted());
  });

  it('serves NestJS as rxjs/operators too, of which a few names are other functions', () => {
    const files = globSync(['node_modules/@nestjs/*/**/*.js', 'node_modules/nestjs-pino/**/*.js']);
    const names = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(importing)].flatMap(([, list = '']) => list.split(',')),
    );
    const bare = new Set(names.map((name) => name.replace(/\s+as .*$/, '').trim()).filter(Boolean));
    expect(bare).toContain('mergeAll');
    const [ours, theirs] = [rxjs, operators].map((names) => new Map<string, unknown>(Object.entries(names)));
    expect([...bare].filter((name) => ours?.get(name) !== theirs?.get(name))).toEqual([]);
  });

  it('works with what the package itself makes', async () => {
    const doubled = rxjs.of(1, 2).pipe(inOneFile.map((value) => value * 2));
    expect(inOneFile.isObservable(doubled)).toBe(true);
    await expect(inOneFile.lastValueFrom(doubled)).resolves.toBe(4);
  });
});
