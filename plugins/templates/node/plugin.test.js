// What idbridge will ask, over a real connection. `npm test`

import assert from 'node:assert/strict';
import test from 'node:test';
import grpc from '@grpc/grpc-js';
import { CouldNotFindOut, People } from './people.js';
import { idbridge, rpc, serve } from './plugin.js';

const KEY = 'a key of the tests';

async function started(t, people) {
  const { server, port } = await serve(people, KEY, '127.0.0.1:0');
  const client = new idbridge.v1.IdentityService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  t.after(() => {
    client.close();
    server.forceShutdown();
  });
  const ask = (method, question, key = KEY) => new Promise((resolve) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    client[method](question, metadata, { deadline: Date.now() + 5000 }, (error, answer) => resolve(told(error, answer)));
  });
  return {
    logIn: (login, password, key) => ask('Authenticate', { login, password }, key),
    lookUp: (email, key) => ask('GetUserByEmail', { email }, key),
  };
}

function told(error, answer) {
  if (!error) return answer.user ? `user ${answer.user.id}` : answer.rejection.reason.replace('REJECTION_REASON_', '');
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const [first] = rpc.lookupType('Status').decode(bytes).details;
  const { reason, domain } = rpc.lookupType('ErrorInfo').decode(first.value);
  assert.equal(domain, 'idbridge');
  return `${grpc.status[error.code]} ${reason}`;
}

test('answers', async (t) => {
  const { logIn, lookUp } = await started(t, new People('people.toml'));
  for (const [login, password, want] of [
    ['ada@example.com', 'a password of ada', 'user p-1'],
    ['ADA@example.com', 'a password of ada', 'user p-1'],
    ['ada@example.com', 'another', 'WRONG_PASSWORD'],
    ['grace', 'a password of grace', 'user p-2'],
    ['sam@example.com', 'a password of sam', 'ACCOUNT_DISABLED'],
    ['sam@example.com', 'another', 'WRONG_PASSWORD'],
    ['nobody@example.com', 'another', 'UNKNOWN_USER'],
  ]) assert.equal(await logIn(login, password), want, login);
  for (const [email, want] of [
    ['ada@example.com', 'user p-1'],
    ['grace.hopper@example.com', 'user p-2'],
    ['sam@example.com', 'ACCOUNT_DISABLED'],
    ['twins@example.com', 'INTERNAL AMBIGUOUS_USER'],
    ['nobody@example.com', 'NOT_FOUND USER_NOT_FOUND'],
    ['grace', 'INVALID_ARGUMENT INVALID_IDENTIFIER'],
  ]) assert.equal(await lookUp(email), want, email);
});

test('an outage is no no', async (t) => {
  for (const [problem, want] of [
    [new CouldNotFindOut('SOURCE_UNAVAILABLE'), 'UNAVAILABLE SOURCE_UNAVAILABLE'],
    [new CouldNotFindOut('SOURCE_THROTTLED', 7), 'RESOURCE_EXHAUSTED SOURCE_THROTTLED'],
    [new TypeError('a bug'), 'INTERNAL INTERNAL'],
  ]) {
    const ill = async () => { throw problem; };
    const { logIn, lookUp } = await started(t, { checkPassword: ill, findByEmail: ill });
    assert.equal(await logIn('ada@example.com', 'a password of ada'), want);
    assert.equal(await lookUp('ada@example.com'), want);
  }
});

test('the key is asked for', async (t) => {
  const { logIn, lookUp } = await started(t, new People('people.toml'));
  for (const key of ['', 'another']) {
    assert.equal(await logIn('ada@example.com', 'a password of ada', key), 'UNAUTHENTICATED CALLER_UNAUTHENTICATED');
    assert.equal(await lookUp('nobody@example.com', key), 'UNAUTHENTICATED CALLER_UNAUTHENTICATED');
  }
});
