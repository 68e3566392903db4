import type { Panel } from './panels.ts'
import { reconciliation } from './rows/reconciliation.ts'
import { resourceSync } from './rows/resource-sync.ts'
import { members } from './rows/members.ts'
import { poller } from './rows/poller.ts'
import { packages } from './rows/packages.ts'

/** Rows of the dashboard. The first three are those of kaspr-operator: same panels, same queries. */
export const rows: readonly { title: string; panels: readonly Panel[] }[] = [
  { title: 'Reconciliation Health', panels: reconciliation() },
  { title: 'Kubernetes Resource Sync', panels: resourceSync() },
  { title: 'Rebalance & Member Health', panels: members() },
  { title: 'Poller', panels: poller() },
  { title: 'Python packages', panels: packages() },
]
