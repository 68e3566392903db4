/** Parts of a pod template whose accepted values its schema does not say. */
import fc from 'fast-check'
import { labelKey, labelValue, mostly, name, of, quantity, wholeQuantity } from './arbitrary-values.ts'

const volumeName = mostly(['data', 'cache', 'keys', 'v1'], ['A', 'orders-app-pv'])

const path = mostly(['/a', '/etc/x', 'rel/a'], ['..', '../a', 'a/../b', '/a:b', '/'])

const file = mostly(['a', 'b.txt', 'd/e'], ['..', '/abs', '../x'])

const fieldPath = mostly(
  ['metadata.name', 'metadata.namespace', 'status.podIP', "metadata.labels['a']"],
  ['x', 'spec.x'],
)

const volumePath = mostly(['metadata.name', 'metadata.labels', "metadata.annotations['a']"], ['status.podIP', 'x'])

/** Requirements on labels, mostly with operators that any selector has. */
export const expression = (operators: readonly string[]): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ key: labelKey, operator: of('In', 'NotIn'), values: of(['a'], ['a', 'b']) }) },
    { weight: 20, arbitrary: fc.record({ key: labelKey, operator: of('Exists', 'DoesNotExist') }) },
    { weight: 1, arbitrary: fc.record({ key: labelKey, operator: of(...operators), values: of([], ['a'], ['1']) }) },
    { weight: 1, arbitrary: fc.record({ key: labelKey, operator: of('In', 'Exists', 'Near') }) },
  )

/** AppArmor and seccomp profiles. */
export function profile(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { type: 'RuntimeDefault' },
      { type: 'Unconfined' },
      { type: 'Localhost', localhostProfile: 'a' },
      { type: 'Localhost', localhostProfile: 'b' },
    ],
    [
      { type: 'Localhost' },
      { type: 'Unconfined', localhostProfile: 'a' },
      { type: 'Other' },
      { type: 'Localhost', localhostProfile: '../a' },
    ],
  )
}

/** Requirements on fields of a node. */
export function matchField(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { key: 'metadata.name', operator: 'In', values: ['a'] },
      { key: 'metadata.name', operator: 'NotIn', values: ['b'] },
    ],
    [
      { key: 'x', operator: 'In', values: ['a'] },
      { key: 'metadata.name', operator: 'In', values: ['a', 'b'] },
      { key: 'metadata.name', operator: 'Exists' },
    ],
  )
}

/** Tolerations. */
export function toleration(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { operator: 'Exists' },
      { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' },
      { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      { key: 'example.com/a', value: '', effect: '' },
    ],
    [
      {},
      { key: 'a b', operator: 'Exists' },
      { operator: 'Equal', value: 'b' },
      { key: 'a', operator: 'Exists', value: 'b' },
      { key: 'a', operator: 'Near' },
      { key: 'a', value: 'b c' },
      { key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 30 },
      { key: 'a', operator: 'Exists', effect: 'Never' },
    ],
  )
}

/** Claims of devices for a pod. */
export function resourceClaim(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { name: 'gpu', resourceClaimName: 'a' },
      { name: 'gpu', resourceClaimName: 'b' },
      { name: 'nic', resourceClaimTemplateName: 'b' },
      { name: 'nic', resourceClaimTemplateName: 'a' },
    ],
    [
      { name: 'gpu' },
      { name: 'gpu', resourceClaimName: 'a', resourceClaimTemplateName: 'b' },
      { name: 'A b', resourceClaimName: 'a' },
    ],
  )
}

/** Volumes of every source. */
export function volume(): fc.Arbitrary<object> {
  const items = fc.array(
    fc.record({ key: of('a', 'b'), path: file, mode: of(0, 256, 511) }, { requiredKeys: ['key', 'path'] }),
    {
      maxLength: 2,
    },
  )
  const defaultMode = of(0, 420)
  const optional = fc.boolean()
  const downward = fc.array(
    fc.record(
      {
        path: file,
        mode: of(256, 511),
        fieldRef: fc.record({ fieldPath: volumePath, apiVersion: of('v1', '') }, { requiredKeys: ['fieldPath'] }),
      },
      { requiredKeys: ['path', 'fieldRef'] },
    ),
    { maxLength: 2 },
  )
  const keys = fc.record({ name, optional, items }, { requiredKeys: ['name'] })
  const source = fc.oneof(
    fc.record({
      secret: fc.record({ secretName: name, defaultMode, optional, items }, { requiredKeys: ['secretName'] }),
    }),
    fc.record({ configMap: fc.record({ name, defaultMode, optional, items }, { requiredKeys: ['name'] }) }),
    fc.record({
      emptyDir: fc.record({ medium: mostly(['', 'Memory'], ['Disk']), sizeLimit: quantity }, { requiredKeys: [] }),
    }),
    fc.record({
      persistentVolumeClaim: fc.record({ claimName: name, readOnly: optional }, { requiredKeys: ['claimName'] }),
    }),
    fc.record({
      csi: fc.record(
        {
          driver: mostly(['csi.example.com', 'disk'], ['a b', '']),
          fsType: of('', 'ext4'),
          readOnly: optional,
          nodePublishSecretRef: fc.record({ name }),
          volumeAttributes: of({ a: '' }, { a: 'b' }),
        },
        { requiredKeys: ['driver'] },
      ),
    }),
    fc.record({
      projected: fc.record(
        {
          defaultMode,
          sources: fc.array(
            fc.oneof(
              fc.record({ secret: keys }),
              fc.record({ configMap: keys }),
              fc.record({ downwardAPI: fc.record({ items: downward }) }),
              fc.record({
                serviceAccountToken: fc.record(
                  { path: file, audience: of('', 'a'), expirationSeconds: of(600, 7200) },
                  { requiredKeys: ['path'] },
                ),
              }),
              { weight: 1, arbitrary: of<object>({}, { secret: { name: 'a' }, configMap: { name: 'a' } }) },
            ),
            { maxLength: 3 },
          ),
        },
        { requiredKeys: ['sources'] },
      ),
    }),
    fc.record({ downwardAPI: fc.record({ defaultMode, items: downward }, { requiredKeys: [] }) }),
    fc.record({ hostPath: fc.record({ path, type: mostly(['', 'Directory'], ['Link']) }, { requiredKeys: ['path'] }) }),
    fc.record({
      nfs: fc.record(
        { path: mostly(['/a', '/b'], ['a']), server: of('s', 't'), readOnly: optional },
        { requiredKeys: ['path', 'server'] },
      ),
    }),
    fc.record({
      ephemeral: fc.record({
        volumeClaimTemplate: fc.record(
          {
            metadata: fc.record(
              {
                labels: fc.dictionary(labelKey, labelValue, { maxKeys: 2 }),
                annotations: fc.dictionary(labelKey, of('a', 'b'), { maxKeys: 2 }),
              },
              { requiredKeys: [] },
            ),
            spec: fc.record(
              {
                accessModes: mostly([['ReadWriteOnce'], ['ReadWriteMany', 'ReadOnlyMany']], [[], ['Write']]),
                storageClassName: mostly(['fast', ''], ['A b']),
                volumeMode: mostly(['Filesystem', 'Block'], ['Disk']),
                resources: fc.record(
                  { requests: fc.record({ storage: wholeQuantity }), limits: fc.record({ storage: of('5Gi', '6Gi') }) },
                  { requiredKeys: ['requests'] },
                ),
              },
              { requiredKeys: ['accessModes', 'resources'] },
            ),
          },
          { requiredKeys: ['spec'] },
        ),
      }),
    }),
    fc.record({
      image: fc.record(
        { reference: of('a/b:1', 'a/b:2'), pullPolicy: mostly(['Always', 'IfNotPresent'], ['Later']) },
        { requiredKeys: ['reference'] },
      ),
    }),
    { weight: 1, arbitrary: of<object>({}, { emptyDir: {}, hostPath: { path: '/' } }) },
  )
  return fc.tuple(volumeName, source).map(([called, content]) => ({ name: called, ...content }))
}

/** Environment variables. */
export function variable(): fc.Arbitrary<object> {
  const key = fc.record(
    { name, key: mostly(['a', 'tls.key'], ['a b', '..']), optional: fc.boolean() },
    { requiredKeys: ['name', 'key'] },
  )
  const from = fc.oneof(
    { weight: 10, arbitrary: fc.record({ secretKeyRef: key }) },
    { weight: 10, arbitrary: fc.record({ configMapKeyRef: key }) },
    {
      weight: 10,
      arbitrary: fc.record({
        fieldRef: fc.record({ fieldPath, apiVersion: mostly(['v1'], ['v2']) }, { requiredKeys: ['fieldPath'] }),
      }),
    },
    {
      weight: 1,
      arbitrary: of<object>({}, { secretKeyRef: { name: 'a', key: 'b' }, fieldRef: { fieldPath: 'metadata.name' } }),
    },
  )
  const called = mostly(['A', 'TOKEN', 'PYTHONPATH', 'K_WEB_HOST', 'a.b', '1 x'], ['=', '', 'é', 'POD_NAME'])
  return fc.oneof(
    { weight: 20, arbitrary: fc.record({ name: called, value: of('', 'a', '$(POD_NAME)', 'é\n') }) },
    { weight: 20, arbitrary: fc.record({ name: called, valueFrom: from }) },
    { weight: 1, arbitrary: fc.record({ name: called }) },
  )
}

/** Mounts of those volumes. */
export function mount(): fc.Arbitrary<object> {
  const base = {
    name: mostly(['data', 'cache', 'keys', 'v1'], ['nothing']),
    mountPath: mostly(['/a', '/etc/x', '/data/y', 'rel/a'], ['/a:b', '/var/lib/data/tables']),
  }
  return fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record(
        { ...base, readOnly: fc.boolean(), mountPropagation: of('None', 'HostToContainer') },
        { requiredKeys: ['name', 'mountPath'] },
      ),
    },
    { weight: 20, arbitrary: fc.record({ ...base, subPath: mostly(['', 'a'], ['../a', '/a']) }) },
    { weight: 4, arbitrary: fc.record({ ...base, subPathExpr: of('a', '$(POD_NAME)') }) },
    {
      weight: 4,
      arbitrary: fc.record({ ...base, readOnly: fc.constant(true), recursiveReadOnly: of('IfPossible', 'Disabled') }),
    },
    { weight: 1, arbitrary: fc.record({ ...base, subPath: of('a'), subPathExpr: of('b') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        ...base,
        recursiveReadOnly: of('Enabled', 'IfPossible', 'Disabled'),
        readOnly: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ...base, mountPropagation: of('Bidirectional') }) },
  )
}
