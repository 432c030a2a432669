// Loaded before Parley (--import): metrics are registered and never count. What is left is Parley without them.
import { Counter, Gauge, Histogram } from 'prom-client';

const nothing = () => undefined;
for (const method of ['observeWithoutExemplar', 'observeWithExemplar']) Histogram.prototype[method] = nothing;
for (const kind of [Counter, Gauge]) kind.prototype.inc = nothing;
for (const method of ['dec', 'set']) Gauge.prototype[method] = nothing;
