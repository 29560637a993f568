/** The least that a Fastify route can do with the same body and an answer of the same size. */
import Fastify from 'fastify';

const answer = process.argv[2]!;
const app = Fastify();
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body);
});
app.post('/', async (_request, reply) => reply.type('application/json; charset=utf-8').send(answer));
console.log(`Server listening at ${await app.listen({ port: 0 })}`);
