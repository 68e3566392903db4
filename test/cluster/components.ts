import type { Credentials } from './credentials.ts'

/** A component of the control plane: the binary of that name and its arguments; paths are relative to the plane's folder. */
export interface Component {
  name: string
  args: string[]
}

/** Requests a second of the components' clients, above what two cores reach: tests measure us, not client-side waiting. */
const qps = ['--kube-api-qps=1000', '--kube-api-burst=2000']

/** etcd on unix sockets, so it takes no port and nobody else reaches it. Nothing is synced to disk: the data end with the plane. */
export function etcd(): Component {
  const client = 'unix://etcd.sock:0'
  const peer = 'unix://peer.sock:0'
  return {
    name: 'etcd',
    args: [
      '--name=plane',
      '--data-dir=etcd',
      '--unsafe-no-fsync',
      '--log-level=warn',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=plane=${peer}`,
    ],
  }
}

/** The API server with RBAC, the default admission plugins and an audit log; it makes its own certificate in `pki/`. */
export function apiServer(port: number, credentials: Credentials): Component {
  return {
    name: 'kube-apiserver',
    args: [
      '--etcd-servers=unix://etcd.sock:0',
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--cert-dir=pki',
      `--token-auth-file=${credentials.tokens}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
      `--service-account-key-file=${credentials.serviceAccountKey}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none', // its own address is loopback, which Endpoints refuse
      '--allow-privileged',
      '--profiling=false',
      '--shutdown-watch-termination-grace-period=1s', // else it waits a minute for its watches to end
      `--audit-policy-file=${credentials.auditPolicy}`,
      '--audit-log-path=audit.log',
      '--audit-log-maxsize=0', // never rotated: marks are byte offsets
    ],
  }
}

/** All default controllers but those of endpoints: garbage collector, StatefulSets, HPA, service accounts, claims and their protection, … */
export function controllerManager(kubeconfig: string, credentials: Credentials): Component {
  return {
    name: 'kube-controller-manager',
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      // The API server refuses endpoints on loopback, where all pods are: their controllers would only fill the log.
      '--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller',
      `--service-account-private-key-file=${credentials.serviceAccountKey}`,
      ...qps,
    ],
  }
}

export function scheduler(kubeconfig: string): Component {
  return {
    name: 'kube-scheduler',
    args: [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0', ...qps],
  }
}

/** kwok plays the kubelets of all nodes; its pods get addresses of 127.`network`.0.0/16. */
export function kwok(kubeconfig: string, stages: readonly string[], network: number): Component {
  return {
    name: 'kwok',
    args: [
      `--kubeconfig=${kubeconfig}`,
      ...stages.map((file) => `--config=${file}`),
      `--cidr=127.${network}.0.1/16`,
      '--manage-all-nodes',
      '--node-lease-duration-seconds=40',
    ],
  }
}
