const CONNECT_MS = 2000;
const ANSWER_MS = 5000;

/** Reads one decrypted parameter from AWS Parameter Store; the SDK is loaded only when a value asks for it. */
export async function readParameter(path: string, region: string): Promise<string> {
  const { SSMClient, GetParameterCommand } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient({
    region,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: path, WithDecryption: true }));
    if (Parameter?.Value === undefined) throw new Error(`parameter ${path} has no value`);
    return Parameter.Value;
  } finally {
    client.destroy();
  }
}
