import type { OtpPurpose } from './otp.repository.js';

/** A code on its way to a person. */
export interface OtpMessage {
  identifier: string;
  purpose: OtpPurpose;
  code: string;
  createdAt: Date;
  expiresAt: Date;
}

/** Brings codes to people. */
export abstract class OtpSender {
  /** Whether codes can be sent here at all. */
  abstract readonly usable: boolean;
  /** Rejects when the code could not be handed over; the error names neither code nor recipient. */
  abstract send(message: OtpMessage): Promise<void>;
  /** Codes sent lately to an identifier, newest first; undefined where nobody may read them. */
  abstract inbox(identifier: string): OtpMessage[] | undefined;
}
