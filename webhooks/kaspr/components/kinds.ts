/** What a component kind is called where. */
export interface ComponentKind {
  kind: 'KasprAgent' | 'KasprWebView' | 'KasprTable' | 'KasprTask' | 'KasprJoin'
  /** Lower-case plural of the resource. */
  resource: string
  /** Ends the name of the ConfigMap, its file and the volume: `<name>-agent`. */
  suffix: string
  /** Top-level key of the definition file, and of `status.linkedResources` of the app. */
  root: 'agents' | 'webviews' | 'tables' | 'tasks' | 'joins'
  /** Environment variable of the app container that carries the hash of all components of the kind. */
  hashVariable: string
}

/** The component kinds of this version, in the order in which their files are mounted. */
export const componentKinds: readonly ComponentKind[] = [
  { kind: 'KasprAgent', resource: 'kaspragents', suffix: 'agent', root: 'agents', hashVariable: 'AGENTS_HASH' },
  {
    kind: 'KasprWebView',
    resource: 'kasprwebviews',
    suffix: 'webview',
    root: 'webviews',
    hashVariable: 'WEBVIEWS_HASH',
  },
  { kind: 'KasprTable', resource: 'kasprtables', suffix: 'table', root: 'tables', hashVariable: 'TABLES_HASH' },
  { kind: 'KasprTask', resource: 'kasprtasks', suffix: 'task', root: 'tasks', hashVariable: 'TASKS_HASH' },
  { kind: 'KasprJoin', resource: 'kasprjoins', suffix: 'join', root: 'joins', hashVariable: 'JOINS_HASH' },
]
