#!/usr/bin/env node
// `npm run build`: the same preparation as `npm start`, without starting.
import { prepare } from './prepare.mjs';

await prepare();
