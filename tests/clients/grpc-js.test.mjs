// What a caller with grpc-js and the proto file, loaded as it is, gets. Needs a chain that `idbridge-chain` started.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as HEALTH_PROTO } from 'grpc-health-check';
import protobuf from 'protobufjs';

const { IDBRIDGE_BULK_KEY, IDBRIDGE_GRPC, IDBRIDGE_KEY, OKTA_CONTROL_URL } = process.env;
assert.ok(IDBRIDGE_GRPC && OKTA_CONTROL_URL, 'start the chain first');

const ADA = { login: 'ada@example.com', password: 'correct horse battery staple' };
const PROTO = fileURLToPath(new URL('../../proto/idbridge/v1/identity.proto', import.meta.url));
const { idbridge } = load(PROTO);
const { grpc: standard } = load(HEALTH_PROTO);

const options = grpc.credentials.createInsecure();
const client = new idbridge.v1.IdentityService(IDBRIDGE_GRPC, options);
const health = new standard.health.v1.Health(IDBRIDGE_GRPC, options);
after(() => {
  client.close();
  health.close();
});
afterEach(() => door('/okta/clear'));

function load(path) {
  return grpc.loadPackageDefinition(loadSync(path, { enums: String, keepCase: true, oneofs: true }));
}

async function door(path, order) {
  const body = order && JSON.stringify(order);
  const response = await fetch(OKTA_CONTROL_URL + path, { method: 'POST', body, signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

/** One call; resolves with the answer, rejects with grpc-js's error. */
function call(method, request, { key = IDBRIDGE_KEY, requestId, seconds = 30, on = client } = {}) {
  const metadata = new grpc.Metadata();
  if (key) metadata.set('authorization', `Bearer ${key}`);
  if (requestId) metadata.set('x-request-id', requestId);
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + seconds * 1000;
    on[method](request, metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}
const authenticate = (request, more) => call('Authenticate', request, more);
const lookUp = (email, more) => call('GetUserByEmail', { email }, more);

// grpc-js hands the details over as bytes.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
`, { keepCase: true });

function errorInfo(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  assert.ok(bytes, `${error.message}: no details`);
  const status = root.lookupType('Status').decode(bytes);
  assert.equal(status.code, error.code);
  const detail = status.details.find(({ type_url }) => type_url === 'type.googleapis.com/google.rpc.ErrorInfo');
  const type = root.lookupType('ErrorInfo');
  return type.toObject(type.decode(detail.value));
}

async function assertFails(promise, code, reason) {
  const error = await promise.then(() => assert.fail('it did not fail'), (error) => error);
  assert.equal(error.code, grpc.status[code], error.message);
  const info = errorInfo(error);
  assert.deepEqual([info.domain, info.reason], ['idbridge', reason]);
  return info;
}

describe('answers', () => {
  test('yes, and both calls tell the same user', async () => {
    const yes = await authenticate(ADA);
    assert.equal(yes.outcome, 'user');
    assert.equal(yes.source, 'okta');
    assert.match(yes.user.id, /^okta\|00u/);
    assert.deepEqual((await lookUp(ADA.login)).user, yes.user);
  });

  test('no, and why', async () => {
    const wrong = await authenticate({ ...ADA, login: 'bob@example.com', password: 'not it' });
    assert.equal(wrong.rejection.reason, 'REJECTION_REASON_INVALID_CREDENTIALS');
    assert.equal((await lookUp('sue@example.com')).rejection.reason, 'REJECTION_REASON_ACCOUNT_DISABLED');
  });

  test('a password that is easily damaged arrives as it is', async () => {
    const { user } = await authenticate({ login: 'odd@example.com', password: ' "quoted" \\ 🐎 e\u0301 ' });
    assert.equal(user.email, 'odd@example.com');
  });

  test('not found, said by the source', async () => {
    const info = await assertFails(lookUp('nobody@example.com', { requestId: 'js.1' }), 'NOT_FOUND', 'USER_NOT_FOUND');
    assert.deepEqual(info.metadata, { request_id: 'js.1', source: 'okta' });
  });

  test('a key that is missing or wrong', async () => {
    for (const key of [null, 'wrong']) await assertFails(authenticate(ADA, { key }), 'UNAUTHENTICATED', 'CALLER_UNAUTHENTICATED');
  });

  test('what does not parse', async () => {
    await assertFails(authenticate({ ...ADA, password: '' }), 'INVALID_ARGUMENT', 'INVALID_PASSWORD');
    await assertFails(lookUp('bob'), 'INVALID_ARGUMENT', 'INVALID_IDENTIFIER');
    await assertFails(authenticate({ ...ADA, password: 'x'.repeat(3_000_000) }), 'INVALID_ARGUMENT', 'INVALID_REQUEST');
  });

  test('Okta fails', async () => {
    await door('/okta/fault', { endpoint: 'any', fault: 'reset' });
    await assertFails(authenticate(ADA), 'UNAVAILABLE', 'SOURCE_UNAVAILABLE');
  });

  test("the caller's deadline", async () => {
    await door('/okta/fault', { endpoint: 'any', fault: 'hang' });
    await assert.rejects(lookUp(ADA.login, { seconds: 0.5 }), { code: grpc.status.DEADLINE_EXCEEDED });
  });
});

describe('the service', () => {
  const check = (service) => call('Check', { service }, { key: null, on: health });

  test('health of the broker and of each source, without a key', async () => {
    await lookUp(ADA.login); // so that the source has been asked once
    for (const service of ['', 'idbridge.v1.IdentityService', 'source/okta']) {
      assert.deepEqual(await check(service), { status: 'SERVING' });
    }
    await assert.rejects(check('source/nobody'), { code: grpc.status.NOT_FOUND });
  });

  test('two thousand calls on one channel', async () => {
    const answers = await Promise.all(Array.from({ length: 2000 }, () => lookUp(ADA.login, { key: IDBRIDGE_BULK_KEY })));
    assert.deepEqual([...new Set(answers.map(({ user }) => user.email))], [ADA.login]);
  });

  test('a restart: calls in flight are finished, and the channel finds the broker again', async () => {
    const { count } = await door('/okta/received-at', { endpoint: 'authn' });
    await door('/okta/hold', { endpoint: 'authn' });
    const calls = Array.from({ length: 50 }, () => authenticate(ADA));
    await door('/okta/arrived', { endpoint: 'authn', count: count + 50 });
    const stopped = door('/broker/stop');
    await door('/okta/clear');
    for (const { user } of await Promise.all(calls)) assert.equal(user.email, ADA.login);
    assert.deepEqual(await stopped, { code: 0 });
    await door('/broker/start');
    await new Promise((resolve, reject) => {
      client.waitForReady(Date.now() + 30_000, (error) => (error ? reject(error) : resolve()));
    });
    assert.equal((await lookUp(ADA.login)).outcome, 'user');
  });
});
