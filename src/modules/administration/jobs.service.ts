import { Inject, Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { invalidState, notFound } from '../../platform/errors/domain-error.js';
import { REPLICA_ID } from '../../platform/events/events.module.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Leader } from '../../platform/queue/leader.js';
import { AuditService } from './audit.service.js';
import type { JobView } from './dto/job.view.js';

/** The background jobs: how they stand, and running one out of turn. */
@Injectable()
export class JobsService {
  constructor(
    private readonly background: BackgroundWork,
    private readonly leader: Leader,
    private readonly audit: AuditService,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  async list(actor: Actor): Promise<JobView[]> {
    requirePermission(actor, 'health.read');
    const leases = new Map((await this.leader.leases()).map((lease) => [lease.job, lease]));
    return this.background.jobStatus().map((status) => {
      const lease = leases.get(status.name);
      return {
        name: status.name,
        holder: lease ? lease.holder : status.running ? this.replicaId : null,
        lastRunAt: (lease?.lastRunAt ?? status.lastRunAt)?.toISOString() ?? null,
        lastResult: lease?.lastResult ?? status.lastResult,
        nextRunAt: (lease?.nextRunAt ?? status.nextRunAt)?.toISOString() ?? null,
      };
    });
  }

  /** Starts it and does not wait. @throws forbidden, not_found, invalid_state (running) */
  async run(actor: Actor, name: string, trace: RequestTrace): Promise<{ runId: string }> {
    requirePermission(actor, 'jobs.run');
    const status = this.background.jobStatus().find((job) => job.name === name);
    if (!status) throw notFound();
    const lease = (await this.leader.leases()).find(({ job }) => job === name);
    if (status.running || (lease && lease.holder !== null)) throw invalidState('It is running already');
    const runId = newId();
    const deed = { action: 'job.run', permission: 'jobs.run', targetType: 'job', targetId: name } as const;
    await this.audit.record(actor, { ...deed, after: { runId } }, trace);
    void this.background.runJob(name);
    return { runId };
  }
}
