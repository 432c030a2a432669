import { Controller, Get, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { jobListView, jobRunView } from './dto/job.view.js';
import { JobsService } from './jobs.service.js';

const jobName = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, 'Name of a job');

@Controller('api/v1/admin/jobs')
export class JobsController {
  constructor(private readonly jobs: JobsService) {}

  @Get()
  @Requires('health.read')
  @Returns(200, jobListView)
  async list(@CurrentActor() actor: Actor) {
    return { items: await this.jobs.list(actor) };
  }

  @Post(':name/run')
  @Requires('jobs.run')
  @Returns(202, jobRunView)
  run(
    @CurrentActor() actor: Actor,
    @Param('name', { schema: jobName }) name: string,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.jobs.run(actor, name, trace);
  }
}
