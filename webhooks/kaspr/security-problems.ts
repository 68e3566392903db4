import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import type { Problem } from '../contract/validate.ts'
import { duplicates, unless } from './problem-lists.ts'

type Template = NonNullable<KasprAppSpec['template']>
type PodContext = NonNullable<NonNullable<Template['pod']>['securityContext']>
type ContainerContext = NonNullable<NonNullable<Template['kasprContainer']>['securityContext']>
type Profile = NonNullable<PodContext['seccompProfile']>

/** What the pod API refuses of the security context of a pod, beyond the schema. */
export function podSecurityProblems(context: PodContext, field: string): Problem[] {
  // Names are compared with one of the two separators.
  const sysctls = (context.sysctls ?? []).map(({ name }) => name.replaceAll('/', '.'))
  return [...sharedProblems(context, field), ...duplicates(sysctls, [], `${field}.sysctls`, 'name')]
}

/** The same of a container. */
export function containerSecurityProblems(context: ContainerContext, field: string): Problem[] {
  const { allowPrivilegeEscalation, privileged, capabilities, procMount } = context
  const escalates = privileged === true || (capabilities?.add ?? []).includes('CAP_SYS_ADMIN')
  return [
    ...sharedProblems(context, field),
    ...unless(
      allowPrivilegeEscalation !== false || !escalates,
      `${field}.allowPrivilegeEscalation`,
      false,
      'true for a container that is privileged or has CAP_SYS_ADMIN',
    ),
    ...unless(
      procMount !== 'Unmasked',
      `${field}.procMount`,
      procMount,
      'Default, as pods share the users of the host',
    ),
  ]
}

function sharedProblems(context: PodContext | ContainerContext, field: string): Problem[] {
  const { windowsOptions, seccompProfile, appArmorProfile } = context
  return [
    ...profileProblems(seccompProfile, `${field}.seccompProfile`),
    ...profileProblems(appArmorProfile, `${field}.appArmorProfile`),
    ...unless(
      windowsOptions?.hostProcess !== true,
      `${field}.windowsOptions.hostProcess`,
      true,
      'false, as pods do not use the network of the host',
    ),
  ]
}

function profileProblems(profile: Profile | undefined, field: string): Problem[] {
  const { type, localhostProfile: name } = profile ?? {}
  if (type !== 'Localhost') {
    return unless(name === undefined, `${field}.localhostProfile`, name, 'none unless type is Localhost')
  }
  if (name === undefined) return [{ field: `${field}.localhostProfile`, accepted: 'the profile of the node to use' }]
  const fine = !name.startsWith('/') && !name.split('/').includes('..') && name.trim() === name
  return unless(fine, `${field}.localhostProfile`, name, 'a relative path without ..')
}
