import { registerHooks, type ResolveFnOutput } from 'node:module';

/** Packages of ES modules alone: each `.js` that a file of theirs names relatively is one too. */
const esmPackages = /\/node_modules\/(?:@nestjs|nestjs-pino|zod)\//;

const here = (file: string): string => new URL(file, import.meta.url).href;

/** What is much larger, or does much more as it loads, than a start needs of it. The production build has the same. */
const standIns = new Map([
  ['http', here('http-without-fetch.js')],
  ['node:http', here('http-without-fetch.js')],
  ['rxjs', here('rxjs-in-one-file.js')],
  ['./console-logger.service.js', here('nest-console.js')],
]);

/** Zod brings its messages in fifty languages; only English ones are used. */
const [allLanguages, english] = ['../locales/index.js', '../locales/en.js'];

/**
 * For each import Node asks the disk whether the file exists, whether it is a link, which package.json says what it is,
 * and, for a package, in which of the folders above it lies. A start has more than three thousand imports, and asking took
 * almost a tenth of it. The compiler has checked every path already: a relative import is taken as it is written, and what
 * a package resolves to from one file of ours holds for all of them. A missing file still fails, by name, when it is read.
 *
 * `home` is the URL of the folder that holds the running build. Call `deregister` on the result when the start is over.
 */
export function shortenLookups(home: string): { deregister(): void } {
  const packages = new Map<string, ResolveFnOutput>();
  const instead = (url: string): ResolveFnOutput => ({ url, format: 'module', shortCircuit: true });
  return registerHooks({
    resolve(specifier, context, next) {
      const { parentURL: parent = '', conditions } = context;
      const own = parent.startsWith(home);
      if (!(own || esmPackages.test(parent)) || !conditions.includes('import')) return next(specifier, context);
      // Seven names of rxjs/operators are not those of rxjs; packages import none of them, an extension might.
      const standIn = standIns.get(specifier === 'rxjs/operators' && !own ? 'rxjs' : specifier);
      if (standIn !== undefined) return instead(standIn);
      if (specifier.startsWith('.') && specifier.endsWith('.js') && parent.endsWith('.js'))
        return instead(new URL(specifier === allLanguages ? english : specifier, parent).href);
      if (!own) return next(specifier, context);
      const found = packages.get(specifier) ?? { ...next(specifier, context), shortCircuit: true };
      packages.set(specifier, found);
      return found;
    },
  });
}
