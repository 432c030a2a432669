import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { newId } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { packageVersion } from '../config/package-root.js';
import type { Tracer } from './tracing.js';
import { useTracer } from './tracing.js';

/** Loads OpenTelemetry where somebody wants traces, and nowhere else. The last spans leave before the process does. */
@Injectable()
export class TracingLifecycle implements OnModuleInit, OnApplicationShutdown {
  private tracer: Tracer | undefined;

  constructor(private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const endpoint = this.config.OTEL_EXPORTER_OTLP_ENDPOINT;
    if (endpoint === undefined) return;
    const { createOtlpTracer } = await import('./otlp-tracer.js');
    this.tracer = createOtlpTracer({
      endpoint,
      headers: this.config.OTEL_EXPORTER_OTLP_HEADERS,
      serviceName: this.config.OTEL_SERVICE_NAME,
      serviceVersion: packageVersion(),
      instanceId: newId(),
      ratio: this.config.OTEL_TRACES_SAMPLER_ARG,
    });
    useTracer(this.tracer);
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.tracer) return;
    useTracer(undefined);
    await this.tracer.stop();
  }
}
