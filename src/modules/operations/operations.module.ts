import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { QueueModule } from '../../platform/queue/queue.module.js';
import { AlertMail } from './alert-mail.service.js';
import { AlertsService } from './alerts.service.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { HealthDetailController } from './health-detail.controller.js';
import { HealthDetailService } from './health-detail.service.js';
import { ListsService } from './lists.service.js';
import { LoadReportsController } from './load-reports.controller.js';
import { LoadReportsService } from './load-reports.service.js';
import { LoadSignals } from './load-signals.service.js';
import { MaintenanceService } from './maintenance.service.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { OperationsConsumer } from './operations.consumer.js';
import { QueueProbeService } from './queue-probe.service.js';
import { ReadinessService } from './readiness.service.js';
import { RecentSamples } from './recent-samples.service.js';
import { Sampler } from './sampler.service.js';
import { SettingsService } from './settings.service.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';
import { SystemHealthController } from './system-health.controller.js';
import { Traffic } from './traffic.service.js';
import { ViolationsService } from './violations.service.js';

@Module({
  // Terminus would log every failed check; state changes are logged where they are noticed.
  imports: [QueueModule, TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 })],
  controllers: [
    HealthController,
    HealthDetailController,
    LoadReportsController,
    MetricsController,
    StatisticsController,
    SystemHealthController,
  ],
  providers: [
    AlertMail,
    AlertsService,
    HealthDetailService,
    HealthService,
    ListsService,
    LoadReportsService,
    LoadSignals,
    MaintenanceService,
    MetricsService,
    OperationsConsumer,
    QueueProbeService,
    ReadinessService,
    RecentSamples,
    Sampler,
    SettingsService,
    StatisticsService,
    Traffic,
    ViolationsService,
  ],
})
export class OperationsModule {}
