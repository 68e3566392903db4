/**
 * `npm run cluster`: a control plane with everything running on it, for trying things by hand, until Ctrl-C. Pods are
 * played by kwok, members of Kaspr apps by the fakes; Metacontroller is $METACONTROLLER_BIN or the stand-in.
 */
import { dirname } from 'node:path'
import { startStack } from './stack.ts'

process.stderr.write('starting control plane, hooks, poller and Metacontroller …\n')
const stack = await startStack({ name: 'cluster', nodes: 2, env: { POLL_INTERVAL_SECONDS: '5', LOG_LEVEL: 'debug' } })
const { plane, hooks, pollers, metacontroller } = stack
console.log(`
A Kubernetes with kaspr-metacontroller on it runs (Metacontroller: ${metacontroller.kind}). In another terminal:

  export KUBECONFIG=${plane.adminKubeconfig}
  export PATH=${dirname(plane.binary('kubectl'))}:$PATH

  kubectl create namespace shop
  kubectl apply -f examples/kaspr/orders.yaml
  kubectl -n shop get kapp,kagent,obs,sts,pods
  kubectl -n shop scale statefulset orders-app --replicas 3   # as the autoscaler would: there are no metrics here
  kubectl -n shop wait --for=condition=Ready kapp/orders
  kubectl -n shop get kapp orders -o yaml
  kubectl -n shop annotate kapp orders kaspr.io/rebalance=now
  kubectl -n shop get kapp --watch                            # REBALANCING counts up, and down again
  kubectl -n shop annotate kapp orders kaspr.io/pause-reconciliation=true

  kubectl apply -f examples/rollout/web.yaml
  kubectl -n shop set env statefulset/web GREETING=hello      # starts after a minute; --watch it below
  kubectl -n shop get obs rollout-web --watch
  npx kaspr-metacontroller rollout -n shop web                # live view, ends with q

Hooks:   ${hooks.url}/metrics  ${hooks.url}/openapi.json
Poller:  ${pollers.map(({ url }) => `${url}/metrics`).join('  ')}
Logs:    ${dirname(hooks.running.logFile)}

Ctrl-C ends it and leaves nothing behind.`)

const signal = await new Promise<NodeJS.Signals>((resolve) => {
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
})
process.stderr.write(`\n${signal}: stopping\n`)
await stack.stop({ failed: false })
