import { Module } from '@nestjs/common';
import { StorageModule } from '../../platform/storage/storage.module.js';
import { UsersModule } from '../users/users.module.js';
import { DownloadsService } from './downloads.service.js';
import { ErasureService } from './erasure.service.js';
import { FilesController } from './files.controller.js';
import { ImageService } from './image.service.js';
import { InspectionService } from './inspection.service.js';
import { LinksService } from './links.service.js';
import { MediaConsumer } from './media.consumer.js';
import { MediaController } from './media.controller.js';
import { MediaService } from './media.service.js';
import { PartsService } from './parts.service.js';
import { ProbeService } from './probe.service.js';
import { ProcessingService } from './processing.service.js';
import { ReconcileService } from './reconcile.service.js';
import { ScanService } from './scan.service.js';
import { SweepService } from './sweep.service.js';
import { UploadsService } from './uploads.service.js';

@Module({
  imports: [UsersModule, StorageModule],
  // Files first: `files/:variant` is no id.
  controllers: [FilesController, MediaController],
  providers: [
    MediaService,
    MediaConsumer,
    DownloadsService,
    ErasureService,
    ImageService,
    InspectionService,
    LinksService,
    PartsService,
    ProbeService,
    ProcessingService,
    ReconcileService,
    ScanService,
    SweepService,
    UploadsService,
  ],
  exports: [MediaService],
})
export class MediaModule {}
