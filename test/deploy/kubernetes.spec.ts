import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { livePaths, readyPaths, startupPaths } from '../../src/platform/lifecycle/boot-responder.js';
import { documents, filesIn, json, root, text, yaml } from './support/files.js';
import { helm, values } from './support/helm.js';
import { kubernetesObject, type KubernetesObject } from './support/kubernetes.schema.js';
import { kustomize } from './support/kustomize.js';
import { Ajv } from 'ajv';

const folders = ['base', 'overlays/single', 'overlays/eks', 'overlays/eks/migrate'].map(
  (folder) => `deploy/kubernetes/${folder}`,
);
const find = <Kind extends KubernetesObject['kind']>(objects: KubernetesObject[], kind: Kind) =>
  objects.find((object): object is Extract<KubernetesObject, { kind: Kind }> => object.kind === kind);

it.each(folders)('%s: every file is used, every object fits its schema, selectors find the pods', (folder) => {
  const { resources, patches = [] } = yaml(`${folder}/kustomization.yaml`) as {
    resources: string[];
    patches?: { path: string }[];
  };
  const used = [...resources, ...patches.map(({ path }) => path), 'kustomization.yaml'];
  const present = filesIn(folder, '.yaml').map((file) => file.slice(folder.length + 1));
  expect(used.filter((name) => name.endsWith('.yaml')).toSorted()).toEqual(
    present.filter((name) => !name.includes('/')),
  );

  const objects = kustomize(folder);
  const deployment = find(objects, 'Deployment');
  if (!deployment) return;
  const labels = deployment.spec.template.metadata.labels;
  expect(labels).toMatchObject(deployment.spec.selector.matchLabels);
  expect(labels).toMatchObject(find(objects, 'Service')?.spec.selector ?? { missing: '' });
  expect(labels).toMatchObject(find(objects, 'PodDisruptionBudget')?.spec.selector.matchLabels ?? { missing: '' });
  expect(labels).toMatchObject(find(objects, 'NetworkPolicy')?.spec.podSelector.matchLabels ?? { missing: '' });
  const { containers, volumes = [], serviceAccountName } = deployment.spec.template.spec;
  expect(serviceAccountName).toBe(find(objects, 'ServiceAccount')?.metadata.name);
  const ports = containers[0].ports?.map(({ name }) => name);
  expect(ports).toContain(find(objects, 'Service')?.spec.ports[0]?.targetPort);
  expect(containers[0].volumeMounts?.map(({ name }) => name).toSorted()).toEqual(
    volumes.map(({ name }) => name).toSorted(),
  );
});

it.each(['base', 'overlays/single', 'overlays/eks'])('%s: each probe asks what it is for, with patience', (folder) => {
  const pod = find(kustomize(`deploy/kubernetes/${folder}`), 'Deployment')?.spec.template.spec.containers[0];
  const { startupProbe, livenessProbe, readinessProbe } = pod ?? {};
  expect(startupPaths).toContain(startupProbe?.httpGet.path);
  // Restarting a replica mends no dependency: liveness asks for none.
  expect(livePaths).toContain(livenessProbe?.httpGet.path);
  expect(readyPaths).toContain(readinessProbe?.httpGet.path);
  expect(startupProbe).toMatchObject({ periodSeconds: 2, failureThreshold: 150 });
  expect(livenessProbe).toMatchObject({ periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 6 });
  expect(readinessProbe).toMatchObject({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 });
});

it('a misspelled field of a probe is refused', () => {
  const deployment = find(kustomize('deploy/kubernetes/base'), 'Deployment');
  const [container] = deployment?.spec.template.spec.containers ?? [];
  const misspelled = { ...container?.readinessProbe, periodSecond: 5 };
  const wrong = structuredClone(deployment) as unknown as { spec: { template: { spec: { containers: object[] } } } };
  wrong.spec.template.spec.containers = [{ ...container, readinessProbe: misspelled }];
  expect(kubernetesObject.safeParse(wrong).success).toBe(false);
});

it('one replica has the volume for itself; several share a bucket', () => {
  const single = find(kustomize('deploy/kubernetes/overlays/single'), 'Deployment');
  expect(single?.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  expect(find(kustomize('deploy/kubernetes/overlays/single'), 'HorizontalPodAutoscaler')).toBeUndefined();
  const eks = find(kustomize('deploy/kubernetes/overlays/eks'), 'Deployment');
  expect(eks?.spec.replicas).toBeUndefined();
  expect(eks?.spec.template.spec.containers[0].env).toContainEqual(expect.objectContaining({ name: 'S3_BUCKET_NAME' }));
  expect(eks?.spec.template.spec.containers[0].env).toContainEqual({ name: 'DB_MIGRATE', value: 'verify' });
});

it('kubectl renders the same, where there is one', () => {
  const kubectl = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'kubectl')));
  if (!kubectl) process.stderr.write('kubectl is not installed: only our own reading of the overlays was checked\n');
  for (const folder of kubectl ? folders : []) {
    const rendered = execFileSync('kubectl', ['kustomize', join(root, folder)], { encoding: 'utf8' });
    const theirs = documents(rendered).map((object) => kubernetesObject.parse(object));
    expect(theirs.map(ordered).toSorted(byKind)).toEqual(kustomize(folder).map(ordered).toSorted(byKind));
  }
});

describe('the Helm chart', () => {
  it('says with its defaults what the kustomize base says', () => {
    expect(helm().map(withoutDefaults).toSorted(byKind)).toEqual(
      kustomize('deploy/kubernetes/base').map(withoutDefaults).toSorted(byKind),
    );
  });

  it('has a schema that takes its defaults, and refuses a misspelled value and the tag latest', () => {
    const accepts = new Ajv({ strict: false }).compile(json('deploy/helm/parley/values.schema.json') as object);
    expect(accepts(values())).toBe(true);
    expect(accepts(values({ replicaCount: 3 }))).toBe(false);
    expect(accepts(values({ image: { tag: 'latest' } }))).toBe(false);
    expect(accepts(values({ config: { PORT: 3000 } }))).toBe(false);
  });

  it('follows its values', () => {
    const changed = helm({
      config: { PORT: '8080', PUBLIC_URL: 'https://chat.example.com' },
      ingress: { enabled: true, annotations: { 'a/b': 'c' } },
      secretName: 'other',
    });
    const pod = find(changed, 'Deployment')?.spec.template.spec.containers[0];
    expect(pod?.ports?.[0]?.containerPort).toBe(8080);
    expect(pod?.env).toContainEqual({ name: 'PUBLIC_URL', value: 'https://chat.example.com' });
    expect(pod?.envFrom).toEqual([{ secretRef: { name: 'other' } }]);
    expect(find(changed, 'Ingress')?.metadata.annotations).toEqual({ 'a/b': 'c' });
    expect(find(helm(), 'Ingress')).toBeUndefined();
    expect(find(helm({ migrateJob: true }), 'Job')?.metadata.annotations).toMatchObject({
      'helm.sh/hook': 'pre-install,pre-upgrade',
    });
  });

  it('has one version, that of the package', () => {
    const { version } = json('package.json') as { version: string };
    const chart = yaml('deploy/helm/parley/Chart.yaml') as { version: string; appVersion: string };
    expect(chart).toMatchObject({ version, appVersion: version });
    expect(text('deploy/kubernetes/overlays/eks/kustomization.yaml')).toContain(`newTag: ${version}`);
    expect(text('deploy/kubernetes/overlays/eks/migrate/job.yaml')).toContain(
      `name: parley-migrate-${version.replaceAll('.', '-')}`,
    );
  });
});

const byKind = (a: { kind: string }, b: { kind: string }): number => (a.kind < b.kind ? -1 : 1);
/** Lists of variables, mounts and volumes have no order of their own. */
function ordered(object: KubernetesObject): KubernetesObject {
  const copy = structuredClone(object);
  if (copy.kind !== 'Deployment') return copy;
  const pod = copy.spec.template.spec;
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  pod.containers[0].env.sort(byName);
  pod.containers[0].volumeMounts?.sort(byName);
  pod.volumes?.sort(byName);
  return copy;
}
function withoutDefaults(object: KubernetesObject): KubernetesObject {
  const copy = ordered(object);
  if (copy.metadata.annotations && Object.keys(copy.metadata.annotations).length === 0)
    delete copy.metadata.annotations;
  if (copy.kind === 'Deployment' && copy.spec.template.spec.containers[0].imagePullPolicy === 'IfNotPresent')
    delete copy.spec.template.spec.containers[0].imagePullPolicy;
  return copy;
}
