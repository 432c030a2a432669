/** Reads one decrypted parameter from AWS Parameter Store; the SDK is loaded only when a value asks for it. */
export async function readParameter(path: string, region: string): Promise<string> {
  const { SSMClient, GetParameterCommand } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient({ region });
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: path, WithDecryption: true }));
    if (Parameter?.Value === undefined) throw new Error(`parameter ${path} has no value`);
    return Parameter.Value;
  } finally {
    client.destroy();
  }
}
