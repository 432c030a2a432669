import { Injectable } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { BootState } from '../../platform/lifecycle/boot-state.js';
import { HealthService } from './health.service.js';

export interface Readiness {
  /** Whether requests should come here. */
  fit: boolean;
  status: 'ok' | 'degraded' | 'not_ready' | 'shutting_down';
  phase: string;
  checks: HealthCheckResult['details'];
}

/** What /ready says, for the probe and the detailed page alike. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly terminus: HealthCheckService,
    private readonly health: HealthService,
    private readonly boot: BootState,
  ) {}

  async read(): Promise<Readiness> {
    const { status, details } = await this.check();
    const { phase } = this.boot;
    const draining = phase === 'draining';
    const fit = status !== 'error' && status !== 'shutting_down' && !draining;
    return {
      fit,
      status: draining ? 'shutting_down' : fit ? (status as 'ok' | 'degraded') : 'not_ready',
      phase,
      checks: details,
    };
  }

  /** Terminus throws what it found when something is down; the finding is the answer either way. */
  private async check(): Promise<Pick<HealthCheckResult, 'status' | 'details'>> {
    try {
      return await this.terminus.check(this.health.checks());
    } catch (error) {
      const found = (error as { getResponse?: () => unknown }).getResponse?.();
      if (found !== undefined) return found as HealthCheckResult;
      throw error;
    }
  }
}
