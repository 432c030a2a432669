import { createRequire } from 'node:module';
import type * as Rxjs from 'rxjs';

const require = createRequire(import.meta.url);
const whole = require.resolve('rxjs').replace(/dist[\\/].*$/, 'dist/bundles/rxjs.umd.min.js');

/**
 * The names of rxjs that NestJS and this project import, taken from the one file of it that browsers use: the package
 * itself is 226 files, and reading them is several percent of a start.
 */
export const {
  EMPTY,
  EmptyError,
  Observable,
  ReplaySubject,
  Subject,
  catchError,
  defer,
  distinctUntilChanged,
  filter,
  first,
  from,
  fromEvent,
  isObservable,
  lastValueFrom,
  map,
  mergeAll,
  mergeMap,
  of,
  share,
  switchMap,
  takeUntil,
  tap,
  throwError,
} = require(whole) as typeof Rxjs;
