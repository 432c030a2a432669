import { Injectable } from '@nestjs/common';

/** Loses hints on request, to show that nothing but time depends on them. Only the demo of a development installation asks. */
@Injectable()
export class HintLoss {
  everySecond = false;
  private seen = 0;
  private count = 0;

  /** Since this process started. */
  get lost(): number {
    return this.count;
  }

  /** Whether this one is lost. */
  strikes(): boolean {
    if (!this.everySecond || ++this.seen % 2 === 1) return false;
    this.count++;
    return true;
  }
}
