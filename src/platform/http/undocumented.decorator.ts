import { SetMetadata } from '@nestjs/common';

/** Metadata key of routes and controllers that are no part of the API document. */
export const UNDOCUMENTED = 'parley:undocumented';

/** Not in the OpenAPI document. Instead of the decorators of the document's library, which no serving process has to load. */
export const Undocumented = (): ClassDecorator & MethodDecorator => SetMetadata(UNDOCUMENTED, true);
