import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import * as dto from './dto/report.dto.js';
import { filedReportView, reportView } from './dto/report.view.js';
import { ReportsService } from './reports.service.js';

@Controller('api/v1')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Post('reports')
  @Authenticated()
  @Limited('report')
  @Returns(201, filedReportView)
  file(@CurrentActor() actor: Actor, @Body({ schema: dto.createReport }) input: dto.CreateReport) {
    return this.reports.file(actor, input);
  }

  @Get('admin/reports')
  @Requires('reports.read')
  @Returns(200, pageOf(reportView))
  list(@CurrentActor() actor: Actor, @Query({ schema: dto.reportQuery }) query: dto.ReportQuery) {
    return this.reports.list(actor, query);
  }

  @Patch('admin/reports/:id')
  @Requires('reports.resolve')
  @Returns(200, reportView)
  close(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: dto.resolveReport }) input: dto.ResolveReport,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.reports.close(actor, id, input, trace);
  }
}
