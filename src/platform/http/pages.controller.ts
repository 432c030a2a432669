import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Public } from '../auth/auth.decorator.js';
import { Config } from '../config/config.js';
import { Unlimited } from '../ratelimit/limit.guard.js';
import { Pages } from './pages.js';
import { pagesPolicy } from './pages-policy.js';
import { Undocumented } from './undocumented.decorator.js';
import { sendPage } from './send-page.js';

/** The name of an asset holds the hash of its content. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_EACH_TIME = 'no-cache';

/** The demo page, the operations page and what they load. Static: who may see which data is decided where it is asked for. */
@Controller()
@Undocumented()
@Public()
@Unlimited()
export class PagesController {
  private readonly pages: Pages;
  private readonly policy: string;

  constructor(private readonly config: Config) {
    this.pages = new Pages(!config.isProduction);
    this.policy = pagesPolicy(config);
  }

  @Get()
  demo(@Req() request: Request, @Res() response: Response): void {
    this.page(this.config.demo ? 'index.html' : 'off.html', request, response);
  }

  @Get('ops')
  operations(@Req() request: Request, @Res() response: Response): void {
    this.page('ops.html', request, response);
  }

  @Get('favicon.svg')
  icon(@Req() request: Request, @Res() response: Response): void {
    sendPage(this.pages.find('favicon.svg'), ASK_EACH_TIME, request, response);
  }

  @Get('assets/:file')
  asset(@Param('file') file: string, @Req() request: Request, @Res() response: Response): void {
    sendPage(this.pages.find(`assets/${file}`), FOR_EVER, request, response);
  }

  private page(name: string, request: Request, response: Response): void {
    const file = this.pages.find(name);
    response.setHeader('Content-Security-Policy', this.policy);
    // A clone that was never built serves its API all the same.
    if (!file) return void response.type('text').send('Parley is running. Its pages are not built: npm run build\n');
    sendPage(file, ASK_EACH_TIME, request, response);
  }
}
