import { Body, Controller, Delete, Get, Param, Patch, Post, Put } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type SetOverrides, setOverrides } from './dto/override.dto.js';
import { overridesView } from './dto/override.view.js';
import * as dto from './dto/role.dto.js';
import { permissionMapView, roleListView, roleView } from './dto/role.view.js';
import { roleNamesView } from './dto/person.view.js';
import { OverridesService } from './overrides.service.js';
import { RolesService } from './roles.service.js';

@Controller('api/v1/admin')
export class RolesController {
  constructor(
    private readonly roles: RolesService,
    private readonly overrides: OverridesService,
  ) {}

  @Get('roles')
  @Requires('roles.read')
  @Returns(200, roleListView)
  async list(@CurrentActor() actor: Actor) {
    return { items: await this.roles.list(actor) };
  }

  @Post('roles')
  @Requires('roles.write')
  @Returns(201, roleView)
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: dto.createRole }) input: dto.CreateRole,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.roles.create(actor, input, trace);
  }

  @Patch('roles/:name')
  @Requires('roles.write')
  @Returns(200, roleView)
  update(
    @CurrentActor() actor: Actor,
    @Param('name', { schema: dto.roleName }) name: string,
    @Body({ schema: dto.updateRole }) input: dto.UpdateRole,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.roles.update(actor, name, input, trace);
  }

  @Delete('roles/:name')
  @Requires('roles.write')
  @Returns(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('name', { schema: dto.roleName }) name: string,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.roles.delete(actor, name, trace);
  }

  /** Every permission, and every route with what it asks for. */
  @Get('permissions')
  @Requires('roles.read')
  @Returns(200, permissionMapView)
  permissions(@CurrentActor() actor: Actor) {
    return this.roles.permissionMap(actor);
  }

  /** Replaces the roles of a user. */
  @Put('users/:id/roles')
  @Requires('roles.write')
  @Returns(200, roleNamesView)
  async assign(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: dto.assignRoles }) { roles }: dto.AssignRoles,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return { roles: await this.roles.assign(actor, id, roles, trace) };
  }

  /** Exceptions of a user from what the roles give, and what the user may in the end. */
  @Get('users/:id/permissions')
  @Requires('roles.read')
  @Returns(200, overridesView)
  getOverrides(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.overrides.get(actor, id);
  }

  /** Replaces the exceptions of a user; acts on every replica and open socket. */
  @Put('users/:id/permissions')
  @Requires('roles.write')
  @Returns(200, overridesView)
  setOverrides(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: setOverrides }) wanted: SetOverrides,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.overrides.set(actor, id, wanted, trace);
  }
}
