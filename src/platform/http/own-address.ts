import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

export const PUBLIC_URL_SETTING = 'public url';

/** How whoever asks reaches this installation: PUBLIC_URL, else the address they used. Without a slash at the end. */
export const OwnAddress = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<Request>();
  const configured = request.app.get(PUBLIC_URL_SETTING) as string | undefined;
  return (configured ?? `${request.protocol}://${request.host}`).replace(/\/+$/, '');
});

/** The view with a link that stands for itself. Links to a store elsewhere are that already. */
export const withWholeUrl = <View extends { url: string | null }>(address: string, view: View): View =>
  view.url?.startsWith('/') === true ? { ...view, url: `${address}${view.url}` } : view;
