import { Injectable } from '@nestjs/common';
import type { SampleView } from './dto/sample.view.js';

const KEPT = 120;

/** The last samples of this replica, an hour of them by default: what is shown while the database is down. */
@Injectable()
export class RecentSamples {
  private readonly samples: SampleView[] = [];

  add(sample: SampleView): void {
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
  }

  /** The oldest first. */
  list(): readonly SampleView[] {
    return this.samples;
  }
}
