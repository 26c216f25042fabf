// okta-sdk-nodejs reads users.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import okta from '@okta/okta-sdk-nodejs';

import { demo, strict, token } from './orgs.js';

const clientOf = (orgUrl, more = {}) => new okta.Client({ orgUrl, token, ...more });
const client = clientOf(demo);

async function all(collection) {
  const items = [];
  await collection.each((item) => void items.push(item));
  return items;
}

test('a user is read by login and by id', async () => {
  const ada = await client.userApi.getUser({ userId: 'ada@example.com' });
  assert.equal(ada.status, 'ACTIVE');
  assert.equal(ada.profile.email, 'ada@example.com');
  assert.equal(ada.credentials.provider.type, 'OKTA');
  assert.ok(ada.created instanceof Date && !Number.isNaN(ada.created.getTime()));
  assert.equal((await client.userApi.getUser({ userId: ada.id })).profile.login, 'ada@example.com');
});

test('statuses and providers arrive as they are', async () => {
  for (const [userId, status, provider] of [
    ['dan@example.com', 'DEPROVISIONED', 'OKTA'],
    ['sam@example.com', 'SUSPENDED', 'OKTA'],
    ['adam@example.com', 'ACTIVE', 'ACTIVE_DIRECTORY'],
    ['fred@example.com', 'ACTIVE', 'FEDERATION'],
  ]) {
    const user = await client.userApi.getUser({ userId });
    assert.deepEqual([user.status, user.credentials.provider.type], [status, provider], userId);
  }
});

test('an unknown user is 404 E0000007', async () => {
  await assert.rejects(client.userApi.getUser({ userId: 'nobody@example.com' }), { status: 404, errorCode: 'E0000007' });
});

test('a bad token is 401 E0000011', async () => {
  const other = new okta.Client({ orgUrl: demo, token: 'nonsense' });
  await assert.rejects(other.userApi.getUser({ userId: 'me' }), { status: 401, errorCode: 'E0000011' });
});

test('search finds both who share an address', async () => {
  const found = await all(await client.userApi.listUsers({ search: 'profile.email eq "TWINS@example.com"' }));
  assert.deepEqual(found.map((user) => user.profile.login).sort(), ['tina@example.com', 'toni@example.com']);
});

test('a bad search is 400 E0000031', async () => {
  const found = client.userApi.listUsers({ search: 'profile.email like "x"' });
  await assert.rejects(found.then(all), { status: 400, errorCode: 'E0000031' });
});

test('pages are followed to the end', async () => {
  const whole = await all(await client.userApi.listUsers({}));
  const paged = await all(await client.userApi.listUsers({ limit: 3 }));
  assert.ok(whole.length > 20);
  assert.deepEqual(paged.map((user) => user.id), whole.map((user) => user.id));
  assert.ok(whole.every((user) => user.status !== 'DEPROVISIONED'));
});

test('two pages, and the second is the last', async () => {
  const whole = await all(await client.userApi.listUsers({}));
  const pages = [];
  const { requestExecutor } = client;
  const count = (request) => void pages.push(request.url);
  const limit = whole.length - 1;
  requestExecutor.on('request', count);
  const paged = await all(await client.userApi.listUsers({ limit }));
  requestExecutor.removeListener('request', count);
  assert.equal(paged.length, whole.length);
  assert.equal(pages.length, 2, pages.join());
  assert.match(pages[1], /[?&]after=/);
});

test('factors and groups are read', async () => {
  const mia = await client.userApi.getUser({ userId: 'mia@example.com' });
  const factors = await all(await client.userFactorApi.listFactors({ userId: mia.id }));
  assert.deepEqual(factors.map((factor) => [factor.factorType, factor.status]), [['sms', 'ACTIVE'], ['push', 'ACTIVE']]);
  const ada = await client.userApi.getUser({ userId: 'ada@example.com' });
  const groups = await all(await client.userApi.listUserGroups({ userId: ada.id }));
  assert.deepEqual(groups.map((group) => group.profile.name), ['Everyone', 'Engineering']);
});

test('a 429 is understood: the client waits and asks again', async () => {
  const patient = clientOf(strict);
  const waits = [];
  patient.requestExecutor.on('backoff', (request, response, requestId, delay) => waits.push([requestId, delay]));
  assert.equal((await patient.userApi.getUser({ userId: 'ada@example.com' })).profile.login, 'ada@example.com');
  assert.equal(waits.length, 1);
  const [requestId, delay] = waits[0];
  assert.ok(requestId);
  assert.ok(delay > 0 && delay <= 3000, `${delay} ms`);
});

test('a concurrency 429 is an error for a client that does not wait', async () => {
  const requestExecutor = new okta.DefaultRequestExecutor({ maxRetries: 0 });
  const hasty = clientOf(strict, { requestExecutor });
  const list = hasty.userApi.listUsers({});
  await assert.rejects(list.then(all), { status: 429, errorCode: 'E0000047' });
});
