import { defineConfig } from 'eslint/config'
import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Forbids imports whose path matches one of the patterns; the message says which rule of docs/architecture.md it breaks. */
const forbidImports = (...rules) => ({
  'no-restricted-imports': ['error', { patterns: rules.map(([regex, message]) => ({ regex, message })) }],
})

const client = ['^(undici|@kubernetes/client-node)$', 'Hooks are pure: only poller/ and cli/ talk to the outside.']
const io = ['^node:(fs|net|http|https|dns|child_process|dgram)(/.*)?$', 'This module is pure: no I/O.']

export default defineConfig(
  { ignores: ['dist', 'coverage', '.build', '.tap', 'crds/types'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Index signatures of Kubernetes maps are read with brackets on purpose: keys such as `__proto__` are data.
      '@typescript-eslint/dot-notation': 'off',
      // tsc checks optional chains already; defensive reads of unvalidated API objects are wanted.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // tap's and Fastify's promises are awaited by the frameworks themselves.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // Fastify plugins and tap tests are async by convention.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_$' }],
      complexity: ['error', 15],
      'max-depth': ['error', 4],
      'max-params': ['error', 5],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  // Who may import whom: docs/architecture.md, "Layout".
  {
    files: ['webhooks/**/*.ts'],
    rules: forbidImports(['(^|/)(poller|cli|test)/', 'webhooks/ imports nothing from poller/, cli/ or test/.'], client),
  },
  {
    files: [
      'webhooks/contract/*.ts',
      'webhooks/kaspr/*.ts',
      'webhooks/rollout/*.ts',
      'webhooks/targetapp/*.ts',
      'webhooks/autoscaler/*.ts',
    ],
    rules: forbidImports(
      ['(^|/)(poller|cli|test)/', 'webhooks/ imports nothing from poller/, cli/ or test/.'],
      client,
      io,
    ),
  },
  {
    files: ['poller/**/*.ts'],
    rules: forbidImports([
      '(^|/)(cli|test)/|(^|/)webhooks/(server|main)',
      'poller/ may import pure modules of webhooks/ only, nothing of cli/ or test/.',
    ]),
  },
  {
    files: ['cli/**/*.ts', 'crds/**/*.ts', 'deploy/**/*.ts'],
    rules: forbidImports(['(^|/)test/', 'Only test/ imports test/.']),
  },
)
