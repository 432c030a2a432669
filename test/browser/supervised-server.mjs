// The server as `npm start` runs it, without the preparation: when it asks for it and dies, it is started again.
import { supervise } from '../../scripts/run.mjs';

process.exitCode = await supervise(['dist/main.js']);
