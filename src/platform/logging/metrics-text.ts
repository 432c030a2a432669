import Registry from 'prom-client/lib/registry.js';
import { registry } from './metrics.js';

/** Everything in the registry. OpenMetrics has exemplars, which Prometheus text cannot carry. */
export async function metricsText(format: 'prometheus' | 'openmetrics'): Promise<{ type: string; text: string }> {
  if (format === 'prometheus') return { type: registry.contentType, text: await registry.metrics() };
  const view = new Registry();
  view.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  // prom-client renames the counters it writes as OpenMetrics, for good; it gets views of them.
  for (const metric of Object.values(registry.getMetricsAsArray())) view.registerMetric(Object.create(metric) as never);
  return { type: Registry.OPENMETRICS_CONTENT_TYPE, text: await view.metrics() };
}
