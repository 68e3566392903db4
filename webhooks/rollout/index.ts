import type { FastifyPluginAsync } from 'fastify'
import { type DecoratorHooks, registerDecorator } from '../hooks.ts'
import { observationRule, setRule } from './names.ts'
import { syncRollout } from './sync.ts'

/**
 * The hook of rollouts. Sync alone: a finalize hook would hold up the deletion of the sets of others, and customize has
 * nothing to ask for, since pods come through the Observation.
 */
export const rolloutHooks: DecoratorHooks = {
  resource: 'rollouts',
  ...setRule,
  attachmentRules: [observationRule],
  sync: syncRollout,
}

/** Serves the hook of rollouts. */
export const rollout: FastifyPluginAsync = async (app) => registerDecorator(app, rolloutHooks)
