import { z } from 'zod';

// The part of the Kubernetes API these manifests use, strictly: a misspelled field is kept by every renderer and ignored
// by the cluster, so only a closed schema finds it.

const names = z.record(z.string(), z.string());
const meta = z.strictObject({
  name: z.string(),
  labels: names.optional(),
  annotations: names.nullish(),
});
const selector = z.strictObject({ matchLabels: names });
const port = z.union([z.string(), z.int()]);

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port }),
  periodSeconds: z.int(),
  timeoutSeconds: z.int(),
  failureThreshold: z.int(),
});

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.string().optional(),
  command: z.array(z.string()).optional(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  envFrom: z.array(z.strictObject({ secretRef: z.strictObject({ name: z.string() }) })),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) }) })
    .optional(),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
    limits: z.strictObject({ memory: z.string() }),
  }),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })).optional(),
});

const pod = z.strictObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.literal(false),
  restartPolicy: z.literal('Never').optional(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().positive(),
    runAsGroup: z.int().positive(),
    fsGroup: z.int().positive().optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int(),
        topologyKey: z.string(),
        whenUnsatisfiable: z.string(),
        labelSelector: selector,
      }),
    )
    .optional(),
  containers: z.tuple([container]),
  volumes: z
    .array(
      z.strictObject({
        name: z.string(),
        emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
        persistentVolumeClaim: z.strictObject({ claimName: z.string() }).optional(),
      }),
    )
    .optional(),
});
export type Pod = z.output<typeof pod>;
const template = z.strictObject({ metadata: meta.omit({ name: true }), spec: pod });

const kinds = {
  Deployment: z.strictObject({
    replicas: z.int().optional(),
    selector,
    strategy: z.strictObject({
      type: z.enum(['RollingUpdate', 'Recreate']),
      rollingUpdate: z.strictObject({ maxSurge: z.literal(1), maxUnavailable: z.literal(0) }).optional(),
    }),
    template,
  }),
  Job: z.strictObject({ backoffLimit: z.literal(0), ttlSecondsAfterFinished: z.int().optional(), template }),
  Service: z.strictObject({
    sessionAffinity: z.literal('None'),
    selector: names,
    ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: port })),
  }),
  PodDisruptionBudget: z.strictObject({ maxUnavailable: z.literal(1), selector }),
  HorizontalPodAutoscaler: z.strictObject({
    scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.literal('Deployment'), name: z.string() }),
    minReplicas: z.int().min(2),
    maxReplicas: z.int(),
    metrics: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('Resource'),
          resource: z.strictObject({
            name: z.literal('cpu'),
            target: z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int() }),
          }),
        }),
        z.strictObject({
          type: z.literal('Pods'),
          pods: z.strictObject({
            metric: z.strictObject({ name: z.string() }),
            target: z.strictObject({ type: z.literal('AverageValue'), averageValue: z.string() }),
          }),
        }),
      ]),
    ),
    behavior: z.strictObject({
      scaleDown: z.strictObject({
        stabilizationWindowSeconds: z.int(),
        policies: z.array(z.strictObject({ type: z.string(), value: z.int(), periodSeconds: z.int() })),
      }),
    }),
  }),
  NetworkPolicy: z.strictObject({
    podSelector: selector,
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
    ingress: z.array(z.strictObject({ ports: z.array(z.strictObject({ port, protocol: z.string().optional() })) })),
    egress: z.array(z.strictObject({ ports: z.array(z.strictObject({ port, protocol: z.string().optional() })) })),
  }),
  Ingress: z.strictObject({
    ingressClassName: z.string(),
    tls: z.array(z.unknown()).optional(),
    rules: z.array(z.unknown()).min(1),
  }),
  PersistentVolumeClaim: z.strictObject({
    accessModes: z.array(z.string()),
    resources: z.strictObject({ requests: z.strictObject({ storage: z.string() }) }),
  }),
};

const versions: Record<keyof typeof kinds | 'ServiceAccount', string> = {
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  Service: 'v1',
  ServiceAccount: 'v1',
  PersistentVolumeClaim: 'v1',
  PodDisruptionBudget: 'policy/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  NetworkPolicy: 'networking.k8s.io/v1',
  Ingress: 'networking.k8s.io/v1',
};

const manifest = <Kind extends keyof typeof kinds>(kind: Kind) =>
  z.strictObject({
    apiVersion: z.literal(versions[kind]),
    kind: z.literal(kind),
    metadata: meta,
    spec: kinds[kind],
  });

/** A whole object, of one of the kinds above. */
export const kubernetesObject = z.discriminatedUnion('kind', [
  manifest('Deployment'),
  manifest('Job'),
  manifest('Service'),
  manifest('PodDisruptionBudget'),
  manifest('HorizontalPodAutoscaler'),
  manifest('NetworkPolicy'),
  manifest('Ingress'),
  manifest('PersistentVolumeClaim'),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ServiceAccount'),
    metadata: meta,
    automountServiceAccountToken: z.literal(false),
  }),
]);
export type KubernetesObject = z.output<typeof kubernetesObject>;
