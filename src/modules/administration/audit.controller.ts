import { pipeline } from 'node:stream/promises';
import { Controller, Get, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { AuditService } from './audit.service.js';
import {
  type AuditAnchor,
  auditAnchor,
  type AuditExport,
  auditExport,
  type AuditQuery,
  auditQuery,
} from './dto/audit.dto.js';
import { auditVerdict, auditView, type AuditView } from './dto/audit.view.js';

@Controller('api/v1/admin/audit-logs')
@Requires('audit.read')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @Returns(200, pageOf(auditView))
  list(@CurrentActor() actor: Actor, @Query({ schema: auditQuery }) query: AuditQuery) {
    return this.audit.list(actor, query);
  }

  /** Whether every entry is what was written and none is missing, in between or at the end. */
  @Get('verify')
  @Returns(200, auditVerdict)
  verify(@CurrentActor() actor: Actor, @Query({ schema: auditAnchor }) anchor: AuditAnchor) {
    return this.audit.verify(actor, anchor);
  }

  /** One JSON object per line, the newest first. */
  @Get('export')
  @Returns(200)
  async export(
    @CurrentActor() actor: Actor,
    @Query({ schema: auditExport }) filter: AuditExport,
    @Res() response: Response,
  ): Promise<void> {
    response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    response.setHeader('Content-Disposition', 'attachment; filename="audit-log.ndjson"');
    await pipeline(lines(this.audit.export(actor, filter)), response);
  }
}

async function* lines(entries: AsyncIterable<AuditView>): AsyncIterable<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}
