import { globSync, readFileSync } from 'node:fs';
import * as rxjs from 'rxjs';
import * as inOneFile from './rxjs-in-one-file.js';

const importing = /import \{([^}]*)\} from ['"]rxjs(?:\/operators)?['"]/g;

describe('rxjs in one file', () => {
  it('has every name that NestJS and the project import', () => {
    const files = globSync(['node_modules/@nestjs/*/**/*.js', 'node_modules/nestjs-pino/**/*.js', 'src/**/*.ts'], {
      exclude: ['node_modules/@nestjs/{cli,schematics,testing}/**', '**/*.d.ts'],
    });
    const names = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(importing)].flatMap(([, names = '']) => names.split(',')),
    );
    const bare = names.map((name) => name.replace(/^\s*type |\s+as .*$/g, '').trim()).filter(Boolean);
    expect(bare).toContain('lastValueFrom');
    expect([...new Set(bare)].filter((name) => !(name in inOneFile))).toEqual([]);
  });

  it('works with what the package itself makes', async () => {
    const doubled = rxjs.of(1, 2).pipe(inOneFile.map((value) => value * 2));
    expect(inOneFile.isObservable(doubled)).toBe(true);
    await expect(inOneFile.lastValueFrom(doubled)).resolves.toBe(4);
  });
});
