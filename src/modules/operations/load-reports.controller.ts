import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type LoadReportInput, loadReportInput, type LoadReportQuery, loadReportQuery } from './dto/load-report.dto.js';
import { loadReportView } from './dto/load-report.view.js';
import { LoadReportsService } from './load-reports.service.js';

@Controller('api/v1/system-health/load-test-reports')
export class LoadReportsController {
  constructor(private readonly reports: LoadReportsService) {}

  @Get()
  @Requires('health.read')
  @Returns(200, pageOf(loadReportView))
  list(@CurrentActor() actor: Actor, @Query({ schema: loadReportQuery }) query: LoadReportQuery) {
    return this.reports.list(actor, query);
  }

  @Post()
  @Requires('health.write')
  @Returns(201, loadReportView)
  create(@CurrentActor() actor: Actor, @Body({ schema: loadReportInput }) input: LoadReportInput) {
    return this.reports.create(actor, input);
  }

  @Get(':id')
  @Requires('health.read')
  @Returns(200, loadReportView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.reports.get(actor, id);
  }
}
