/**
 * The floor of a hook call: a Fastify that parses the request as our service does, and answers with as many bytes. It
 * looks at nothing and serialises nothing: `POST /<bytes>` answers with a JSON text of that length, made once.
 */
import Fastify from 'fastify'

const app = Fastify({ bodyLimit: 67_108_864, onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' })
const texts = new Map<string, string>()

app.post<{ Params: { bytes: string } }>('/:bytes', async ({ params: { bytes } }, reply) => {
  const text = texts.get(bytes) ?? JSON.stringify('x'.repeat(Number(bytes) - 2))
  texts.set(bytes, text)
  return reply.type('application/json').send(text)
})

const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`listening at ${url}\n`)
