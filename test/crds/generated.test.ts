import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { generateAll } from '../../crds/generate.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { kasprHooks } from '../../webhooks/kaspr/index.ts'
import { rolloutHooks } from '../../webhooks/rollout/index.ts'

void t.test('crds/types is what `npm run generate` makes of the manifests', async (t) => {
  for (const { file, content } of await generateAll()) {
    t.equal(readFileSync(packagePath('crds', 'types', file), 'utf8'), content, file)
  }
})

interface Controller {
  metadata: { name: string }
  spec: {
    generateSelector: boolean
    parentResource: { apiVersion: string; resource: string }
    childResources: { apiVersion: string; resource: string; updateStrategy: { method: string } }[]
    hooks: Record<string, { version: string; webhook: { path: string } }>
  }
}

interface Role {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
}

interface Decorator {
  kind: string
  metadata: { name: string }
  spec: {
    resources: { apiVersion: string; resource: string; labelSelector?: unknown }[]
    attachments: Controller['spec']['childResources']
    hooks: Controller['spec']['hooks']
  }
}

const manifests = readdirSync(packagePath('metacontroller')).filter((name) => name !== 'kustomization.yaml')
const parsed = manifests.map(
  (name) => parse(readFileSync(packagePath('metacontroller', name), 'utf8')) as Controller | Decorator,
)
const decorators = parsed.filter(
  (manifest) => 'kind' in manifest && manifest.kind === 'DecoratorController',
) as Decorator[]
const controllers = parsed.filter((manifest) => !decorators.includes(manifest as Decorator)) as Controller[]
const [role] = readFileSync(packagePath('deploy', 'kustomize', 'base', 'metacontroller-role.yaml'), 'utf8').split(
  '\n---\n',
)

/** `ConfigMap` -> `configmaps` */
function plural(kind: string): string {
  return `${kind.toLowerCase()}s`
}

function may(apiVersion: string, resource: string, verb: string): boolean {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  return (parse(role ?? '') as Role).rules.some(
    ({ apiGroups, resources, verbs }) =>
      apiGroups.includes(group) && resources.includes(resource) && verbs.includes(verb),
  )
}

void t.test('the controllers declare what the hooks serve, and the role grants what that needs', async (t) => {
  t.same(controllers.map(({ metadata }) => metadata.name).sort(), kasprHooks.map(({ resource }) => resource).sort())
  for (const hooks of kasprHooks) {
    const controller = controllers.find(({ metadata }) => metadata.name === hooks.resource)
    const { parentResource, childResources = [], generateSelector, hooks: declared = {} } = controller?.spec ?? {}
    t.match(parentResource, { apiVersion: hooks.apiVersion, resource: hooks.resource })
    t.equal(generateSelector, true)
    t.same(
      childResources.map(({ apiVersion, resource }) => `${apiVersion} ${resource}`).sort(),
      hooks.childRules.map(({ apiVersion, kind }) => `${apiVersion} ${plural(kind)}`).sort(),
      `${hooks.resource}: child rules`,
    )
    t.ok(childResources.every(({ updateStrategy }) => updateStrategy.method === 'InPlace'))
    const served = ['sync', 'customize', 'finalize'].filter((hook) => hook in hooks)
    t.same(Object.keys(declared).sort(), served.sort(), `${hooks.resource}: hooks`)
    for (const [hook, { version, webhook }] of Object.entries(declared)) {
      t.equal(`${version} ${webhook.path}`, `v2 /${hooks.resource}/${hook}`)
    }
    for (const { apiVersion, resource } of childResources) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'delete']) {
        t.ok(may(apiVersion, resource, verb), `${verb} ${resource}`)
      }
    }
    for (const verb of ['get', 'list', 'watch']) t.ok(may(hooks.apiVersion, hooks.resource, verb))
    t.ok(may(hooks.apiVersion, `${hooks.resource}/status`, 'update'))
    t.equal(
      may(hooks.apiVersion, hooks.resource, 'update'),
      'finalize' in hooks,
      'parents are updated for a finalizer only',
    )
  }
})

void t.test('both variants of the decorator declare what the hook serves, and the role grants it', async (t) => {
  t.equal(decorators.length, 2)
  for (const { metadata, spec } of decorators) {
    t.equal(metadata.name, rolloutHooks.resource, 'one name, so that never both are installed')
    t.same(
      spec.attachments.map(({ apiVersion, resource, updateStrategy }) => [apiVersion, resource, updateStrategy.method]),
      rolloutHooks.attachmentRules.map(({ apiVersion, kind }) => [apiVersion, plural(kind), 'InPlace']),
    )
    t.match(spec.hooks, { sync: { version: 'v2', webhook: { path: '/rollouts/sync' } } })
    t.same(Object.keys(spec.hooks), ['sync'], 'no finalizer on the sets of others, and no related objects')
    for (const { apiVersion, resource } of spec.resources) {
      t.equal(`${apiVersion} ${resource}`, `${rolloutHooks.apiVersion} ${plural(rolloutHooks.kind)}`)
      for (const verb of ['get', 'list', 'watch', 'update'])
        t.ok(may(apiVersion, resource, verb), `${verb} ${resource}`)
    }
  }
  const exists = { matchExpressions: [{ key: 'rollout-operator/enabled', operator: 'Exists' }] }
  t.same(
    decorators.map(({ spec }) => spec.resources[0]?.labelSelector),
    [undefined, exists],
  )
  const installed = parse(readFileSync(packagePath('metacontroller', 'kustomization.yaml'), 'utf8')) as {
    resources: string[]
  }
  t.notOk(installed.resources.includes('rollouts-single.yaml'))
})
