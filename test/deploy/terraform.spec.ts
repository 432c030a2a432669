import { settings } from '../../src/platform/config/settings.js';
import { MAX_ATTEMPTS } from '../../src/platform/queue/attempts.js';
import { filesIn, text } from './support/files.js';
import { ecs } from './support/workloads.js';

// Required, not imported: its types would bring those of browsers into every file.
const { parse } = jest.requireActual<{ parse: (name: string, content: string) => Promise<unknown> }>('@cdktf/hcl2json');

type Blocks = Record<string, Record<string, unknown>>;
interface Terraform {
  resource: Record<string, Record<string, Record<string, unknown>[]>>;
  data: Record<string, Record<string, { statement: { sid?: string; actions: string[]; resources?: string[] }[] }[]>>;
  output: Blocks;
  variable: Blocks;
}
let terraform: Terraform;
beforeAll(async () => {
  const files = filesIn('deploy/terraform', '.tf');
  const parsed = await Promise.all(files.map(async (file) => (await parse(file, text(file))) as Blocks));
  terraform = { resource: {}, data: {}, output: {}, variable: {} };
  for (const blocks of parsed)
    for (const [kind, entries] of Object.entries(blocks))
      for (const [name, body] of Object.entries(entries))
        ((terraform as unknown as Blocks)[kind] ??= {})[name] = {
          ...(terraform as unknown as Record<string, Record<string, object>>)[kind]?.[name],
          ...(body as object),
        };
});
const resource = (type: string, name: string) => terraform.resource[type]?.[name]?.[0];
const statements = (name: string) => terraform.data['aws_iam_policy_document']?.[name]?.[0]?.statement ?? [];

it('the bucket is closed to the public, encrypted, and open to uploads from the pages', () => {
  expect(resource('aws_s3_bucket_public_access_block', 'media')).toMatchObject({
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  });
  expect(resource('aws_s3_bucket_server_side_encryption_configuration', 'media')).toBeDefined();
  expect(JSON.stringify(resource('aws_s3_bucket_cors_configuration', 'media'))).toContain('POST');
});

it('work that fails again and again ends in the dead-letter queue', () => {
  const policy = JSON.stringify(resource('aws_sqs_queue', 'work')?.['redrive_policy']);
  expect(policy).toContain('aws_sqs_queue.dead_letters.arn');
  // As often as Parley promises to try; a smaller number would be the smaller promise.
  expect(policy).toMatch(new RegExp(`maxReceiveCount\\D+${MAX_ATTEMPTS}\\b`));
  expect(resource('aws_sqs_queue', 'dead_letters')).toMatchObject({ message_retention_seconds: 1_209_600 });
});

it('secrets are encrypted parameters, one folder, the one the task definition reads', () => {
  expect(resource('aws_ssm_parameter', 'secret')).toMatchObject({
    type: 'SecureString',
    name: '/${var.name}/${each.key}',
  });
  expect(terraform.variable['name']).toMatchObject({ 0: { default: 'parley' } });
  for (const { name, valueFrom } of ecs.containerDefinitions[0].secrets)
    expect(valueFrom).toMatch(new RegExp(`:parameter/parley/${name}$`));
});

it('rights name their actions and resources: no star but for the objects of the bucket and the folder of parameters', () => {
  const all = ['task', 'execution'].flatMap(statements);
  expect(all.map(({ sid }) => sid)).toEqual(['MediaObjects', 'MediaBucket', 'Work', 'Parameters', 'Secrets']);
  for (const { actions, resources = [] } of all) {
    for (const action of actions) expect(action).toMatch(/^(s3|sqs|ssm):[A-Za-z]+$/);
    for (const target of resources) expect(target).not.toBe('*');
  }
});

it('the roles are those of the task definition, and the outputs are variables of Parley', () => {
  expect(ecs.taskRoleArn).toMatch(/role\/parley-task$/);
  expect(ecs.executionRoleArn).toMatch(/role\/parley-execution$/);
  expect(resource('aws_iam_role', 'task')).toMatchObject({ name: '${var.name}-task' });
  expect(resource('aws_iam_role', 'execution')).toMatchObject({ name: '${var.name}-execution' });
  const variables = Object.keys(terraform.output).filter((name) => /^[A-Z]/.test(name));
  expect(variables.toSorted()).toEqual(['AWS_REGION', 'S3_BUCKET_NAME', 'SQS_QUEUE_URL']);
  for (const name of variables) expect(Object.keys(settings)).toContain(name);
});
