/** Which installation of packages is reported. */
import t from 'tap'
import { packages } from '../../poller/kaspr/packages.ts'
import { trimPod } from '../../poller/kaspr/pods.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { emptyLook, selector, spec } from './claims-world.ts'

void t.test('packages are reported from the pod that installs the wanted set', (t) => {
  const pod = (name: string, set: string | undefined, state: object | undefined, lastState?: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: selector },
    spec: {
      initContainers: [
        { name: 'init-else' },
        { name: 'install-packages', args: ['-c', 'x', ...(set === undefined ? [] : ['--set', set])] },
      ],
    },
    status: { initContainerStatuses: state === undefined ? [] : [{ name: 'install-packages', state, lastState }] },
  })
  const report = (...pods: KubeObject[]): unknown =>
    packages.look({ ...emptyLook, spec: { ...spec, packages: { set: 'new' } }, pods: pods.map(trimPod) }).report
      .packages
  const done = { terminated: { exitCode: 0, message: '{"packages":[]}' } }
  t.equal(report(), undefined)
  t.equal(report(pod('a-app-0', 'new', undefined)), undefined, 'nothing is known of it yet')
  t.strictSame(report(pod('a-app-1', 'new', { running: {} }), pod('a-app-0', 'old', done)), {
    pod: 'a-app-1',
    set: 'new',
    state: 'running',
  })
  t.strictSame(report(pod('a-app-10', 'old', { running: {} }), pod('a-app-2', 'old', done)), {
    pod: 'a-app-2',
    set: 'old',
    state: 'terminated',
    exitCode: 0,
    message: '{"packages":[]}',
  })
  const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }
  t.match(report(pod('a-app-0', 'new', waiting, { terminated: { exitCode: 1, message: 'no such package' } })), {
    state: 'waiting',
    reason: 'CrashLoopBackOff',
    message: 'no such package',
  })
  t.match(report(pod('a-app-0', 'new', waiting)), { message: 'back-off 10s' })
  t.strictSame(packages.look({ ...emptyLook, pods: [trimPod(pod('a-app-0', 'new', done))] }), { report: {} })
  t.end()
})
