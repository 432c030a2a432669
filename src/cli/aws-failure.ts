/** Something at AWS, or at a service that speaks its protocols, that this installation needs. */
export interface AwsThing {
  /** With its name: bucket "media". */
  what: string;
  /** The right that the question needs. */
  permission: string;
  /** Settings that say where it is. */
  named: string;
  region: string;
}

export type AwsFault =
  | 'no_credentials'
  | 'wrong_key'
  | 'expired'
  | 'denied'
  | 'not_found'
  | 'wrong_region'
  | 'clock'
  | 'timeout'
  | 'unreachable';

interface Reason {
  fault: AwsFault | 'failed';
  message: string;
  next: string;
}

interface Told {
  /** In the words of the service, or of Node. */
  code: string;
  status: number | undefined;
  /** Where it really is, when the service says so. */
  region: string | undefined;
}

const byCode: readonly [RegExp, AwsFault][] = [
  [/^(CredentialsProvider|TokenProvider)Error$/, 'no_credentials'],
  [/^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|301|307)$/, 'wrong_region'],
  [/^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/, 'expired'],
  [/^(RequestTimeTooSkewed|RequestExpired)$/, 'clock'],
  [/^(SignatureDoesNotMatch|InvalidSignature|InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClient)/, 'wrong_key'],
  [/^AccessDenied/, 'denied'],
  [/^(NoSuchBucket|NotFound|QueueDoesNotExist|ParameterNotFound)|NonExistentQueue$/, 'not_found'],
  [/^(TimeoutError|AbortError|ETIMEDOUT|ESOCKETTIMEDOUT)$/, 'timeout'],
  [/^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|socket hang up)$/, 'unreachable'],
];
const byStatus: Record<number, AwsFault> = { 301: 'wrong_region', 401: 'denied', 403: 'denied', 404: 'not_found' };

/** Why it cannot be used and what to do next. Never a key, a token or the service's own text, which may quote them. */
export function awsFailure(error: unknown, thing: AwsThing): Reason {
  const told = readError(error);
  const { what, permission, named, region } = thing;
  const fault = faultOf(told, region);
  const as = (message: string, next: string): Reason => ({ fault: fault ?? 'failed', message, next });
  switch (fault) {
    case 'no_credentials':
      return as(
        `no credentials to ask for ${what}`,
        'Give this process a role (IRSA, task role, instance profile), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      );
    case 'wrong_key':
      return as(
        `the credentials are not believed (${told.code}), asking for ${what}`,
        'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: both of one key that still exists, without spaces.',
      );
    case 'expired':
      return as(`the credentials have expired, asking for ${what}`, 'Renew the session, or use a role.');
    case 'denied':
      return as(`${what} is refused`, `Allow ${permission} to the role or key; check the policy of ${what} as well.`);
    case 'not_found':
      return as(`there is no ${what} in ${region}`, `Check ${named} and AWS_REGION, or create it.`);
    case 'wrong_region':
      return as(
        `${what} is not in ${region}${told.region ? ` but in ${told.region}` : ''}`,
        `Set AWS_REGION${told.region ? `=${told.region}` : ' to the region in which it was made'}.`,
      );
    case 'clock':
      return as(
        "this machine's clock is too far from the service's",
        'Run a time service (chrony, systemd-timesyncd).',
      );
    case 'timeout':
      return as(
        `${what}: no answer in time`,
        `Check the network to it: proxy, security group, VPC endpoint; and ${named}.`,
      );
    case 'unreachable':
      return as(`${what} cannot be reached (${told.code})`, `Check ${named} and AWS_REGION, DNS and the firewall.`);
    case undefined:
      return as(`${what} cannot be used (${told.code})`, 'Look the code up in the documentation of the service.');
  }
}

function faultOf({ code, status, region: actual }: Told, region: string): AwsFault | undefined {
  if (actual !== undefined && actual !== region) return 'wrong_region';
  return byCode.find(([pattern]) => pattern.test(code))?.[1] ?? (status === undefined ? undefined : byStatus[status]);
}

const nodeCode =
  /\b(ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ESOCKETTIMEDOUT|EPIPE|socket hang up)\b/;

interface SdkError extends Error {
  code?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

function readError(error: unknown): Told {
  if (!(error instanceof Error)) return { code: 'unknown', status: undefined, region: undefined };
  const { name, code = '', message, Region, $metadata, $response } = error as SdkError;
  // The SDK may wrap what Node says, and then the code is in the text alone.
  const node = nodeCode.exec(`${code} ${message}`)?.[0];
  return {
    code: node ?? name,
    status: $metadata?.httpStatusCode,
    region: $response?.headers?.['x-amz-bucket-region'] ?? Region,
  };
}
