import { z } from 'zod';
import { json, yaml } from './files.js';
import { helm } from './helm.js';
import type { KubernetesObject, Pod } from './kubernetes.schema.js';
import { kustomize } from './kustomize.js';

/** One way in which a platform runs the image. */
export interface Workload {
  source: string;
  image: string;
  env: Record<string, string>;
  /** Names that come from a secret; of a secret made by hand the documented ones. */
  secrets: string[];
  port: number | undefined;
  probes: { path: string; port: number }[];
  graceSeconds: number;
  /** Waits before the signal, within the grace. */
  preStopSeconds: number;
  user: string;
  readOnlyRoot: boolean;
  command: string[] | undefined;
}

const inSecret = ['APP_SECRET', 'DATABASE_URL'];
const pairs = (env: { name: string; value: string }[]) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));

function ofPod(source: string, { containers: [container], ...pod }: Pod): Workload {
  const named = Object.fromEntries((container.ports ?? []).map(({ name, containerPort }) => [name, containerPort]));
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe].flatMap((probe) =>
    probe ? [{ path: probe.httpGet.path, port: Number(named[probe.httpGet.port] ?? probe.httpGet.port) }] : [],
  );
  return {
    source,
    image: container.image,
    env: pairs(container.env),
    secrets: inSecret,
    port: container.ports?.[0]?.containerPort,
    probes,
    graceSeconds: pod.terminationGracePeriodSeconds,
    preStopSeconds: Number(container.lifecycle?.preStop.exec.command[1] ?? 0),
    user: String(pod.securityContext.runAsUser),
    readOnlyRoot: container.securityContext.readOnlyRootFilesystem,
    command: container.command,
  };
}

const ofObjects = (source: string, objects: KubernetesObject[]): Workload[] =>
  objects.flatMap((object) =>
    object.kind === 'Deployment' || object.kind === 'Job'
      ? [ofPod(`${source} ${object.kind}`, object.spec.template.spec)]
      : [],
  );

const composeService = z.strictObject({
  build: z.strictObject({ context: z.literal('..') }),
  image: z.string(),
  init: z.literal(true),
  user: z.string(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.array(z.string()),
  tmpfs: z.array(z.string()),
  restart: z.string(),
  stop_grace_period: z.string().regex(/^\d+s$/),
  ports: z.tuple([z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)]),
  healthcheck: z.strictObject({
    test: z.array(z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.int(),
    start_period: z.string(),
  }),
  deploy: z.strictObject({ resources: z.strictObject({ limits: z.strictObject({ memory: z.string() }) }) }),
  profiles: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })),
});

export interface ComposeFile {
  services: Record<
    string,
    { image: string; healthcheck?: unknown; depends_on?: Record<string, unknown>; ports?: string[] }
  >;
}
export const compose = yaml('deploy/compose.yaml') as ComposeFile;

const probesOf = (command: string[]) =>
  [...command.join(' ').matchAll(/http:\/\/127\.0\.0\.1:(\d+)(\/[\w/]+)/g)].map(([, port, path = '']) => ({
    path,
    port: Number(port),
  }));

function ofCompose(name: string): Workload {
  const service = composeService.parse(compose.services[name]);
  return {
    source: `compose ${name}`,
    image: service.image,
    env: { ...service.environment, APP_SECRET: 'x'.repeat(32) },
    secrets: [],
    port: Number(service.ports[0].split(':')[2]),
    probes: probesOf(service.healthcheck.test),
    graceSeconds: Number.parseInt(service.stop_grace_period, 10),
    preStopSeconds: 0,
    user: service.user,
    readOnlyRoot: service.read_only,
    command: undefined,
  };
}

const taskDefinition = z.strictObject({
  family: z.string(),
  networkMode: z.literal('awsvpc'),
  requiresCompatibilities: z.array(z.literal('FARGATE')),
  runtimePlatform: z.strictObject({ cpuArchitecture: z.string(), operatingSystemFamily: z.string() }),
  cpu: z.string(),
  memory: z.string(),
  executionRoleArn: z.string(),
  taskRoleArn: z.string(),
  containerDefinitions: z.tuple([
    z.strictObject({
      name: z.string(),
      image: z.string(),
      essential: z.literal(true),
      user: z.string(),
      readonlyRootFilesystem: z.literal(true),
      // Fargate's limit is 120 s.
      stopTimeout: z.int().max(120),
      linuxParameters: z.strictObject({
        initProcessEnabled: z.literal(true),
        capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
      }),
      portMappings: z.tuple([z.strictObject({ name: z.string(), containerPort: z.int(), protocol: z.literal('tcp') })]),
      environment: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      secrets: z.array(z.strictObject({ name: z.string(), valueFrom: z.string() })),
      healthCheck: z.strictObject({
        command: z.array(z.string()),
        interval: z.int(),
        timeout: z.int(),
        retries: z.int(),
        startPeriod: z.int().max(300),
      }),
      logConfiguration: z.strictObject({ logDriver: z.literal('awslogs'), options: z.record(z.string(), z.string()) }),
    }),
  ]),
});
export const ecs = taskDefinition.parse(json('deploy/ecs/task-definition.json'));

function ofEcs(): Workload {
  const [container] = ecs.containerDefinitions;
  return {
    source: 'ecs',
    image: container.image,
    env: pairs(container.environment),
    secrets: container.secrets.map(({ name }) => name),
    port: container.portMappings[0].containerPort,
    probes: probesOf(container.healthCheck.command),
    graceSeconds: container.stopTimeout,
    preStopSeconds: 0,
    user: container.user,
    readOnlyRoot: container.readonlyRootFilesystem,
    command: undefined,
  };
}

export const workloads: Workload[] = [
  ofCompose('single'),
  ofCompose('parley'),
  ...['base', 'overlays/single', 'overlays/eks', 'overlays/eks/migrate'].flatMap((folder) =>
    ofObjects(`kubernetes ${folder}`, kustomize(`deploy/kubernetes/${folder}`)),
  ),
  ...ofObjects('helm', helm({ migrateJob: true })),
  ofEcs(),
];
/** Those that serve. */
export const servers = workloads.filter(({ command }) => command === undefined);

export const railway = z
  .strictObject({
    $schema: z.literal('https://railway.com/railway.schema.json'),
    build: z.strictObject({ builder: z.literal('DOCKERFILE'), dockerfilePath: z.string() }),
    deploy: z.strictObject({
      healthcheckPath: z.string(),
      healthcheckTimeout: z.int(),
      restartPolicyType: z.literal('ON_FAILURE'),
      restartPolicyMaxRetries: z.int(),
      // Numbers: a string breaks the deploy.
      overlapSeconds: z.int(),
      drainingSeconds: z.int(),
    }),
  })
  .parse(json('railway.json'));
