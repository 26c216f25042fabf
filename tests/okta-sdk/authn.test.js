// okta-auth-js signs people in: if Okta's own client can't read an answer, the simulator is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OktaAuth } from '@okta/okta-auth-js/authn';
import okta from '@okta/okta-sdk-nodejs';

import { demo, password, strict, token } from './orgs.js';

const signIn = (url, username, secret = password) =>
  new OktaAuth({ issuer: `${url}/oauth2/default` }).signInWithCredentials({ username, password: secret });

test('SUCCESS carries a session token and the user', async () => {
  const transaction = await signIn(demo, 'ada@example.com');
  assert.equal(transaction.status, 'SUCCESS');
  assert.ok(transaction.sessionToken);
  assert.match(transaction.user.id, /^00u[A-Za-z0-9]{17}$/);
  assert.equal(transaction.user.profile.login, 'ada@example.com');
  assert.equal(transaction.user.profile.email, undefined);
});

test('a wrong password and an unknown user look the same', async () => {
  for (const username of ['bob@example.com', 'nobody@example.com']) {
    await assert.rejects(signIn(demo, username, 'wrong'), { errorCode: 'E0000004', name: 'AuthApiError' });
  }
});

test('LOCKED_OUT is hidden or shown, as the org says', async () => {
  await assert.rejects(signIn(demo, 'lou@example.com'), { errorCode: 'E0000004' });
  const transaction = await signIn(strict, 'lou@example.com');
  assert.equal(transaction.status, 'LOCKED_OUT');
  assert.equal(transaction.user, undefined);
  assert.equal(typeof transaction.unlock, 'function');
});

test('LOCKED_OUT after as many wrong passwords as the org allows, the right one included', async () => {
  const username = 'zoe@example.com';
  for (const secret of ['wrong', 'wrong again']) {
    await assert.rejects(signIn(strict, username, secret), { errorCode: 'E0000004' });
  }
  for (const secret of ['wrong a third time', password]) {
    assert.equal((await signIn(strict, username, secret)).status, 'LOCKED_OUT');
  }
  const client = new okta.Client({ orgUrl: strict, token });
  assert.equal((await client.userApi.getUser({ userId: username })).status, 'LOCKED_OUT');
});

test('MFA_REQUIRED offers the enrolled factors', async () => {
  const transaction = await signIn(demo, 'mia@example.com');
  assert.equal(transaction.status, 'MFA_REQUIRED');
  assert.deepEqual(transaction.factors.map((factor) => factor.factorType), ['sms', 'push']);
  assert.equal(transaction.factors[0].profile.phoneNumber, '+1 XXX-XXX-7922');
  assert.equal(typeof transaction.factors[0].verify, 'function');
  assert.equal(typeof transaction.cancel, 'function');
});

test('MFA_ENROLL offers factors to set up', async () => {
  const transaction = await signIn(demo, 'enno@example.com');
  assert.equal(transaction.status, 'MFA_ENROLL');
  assert.ok(transaction.factors.every((factor) => typeof factor.enroll === 'function'));
});

test('PASSWORD_EXPIRED offers a change', async () => {
  const transaction = await signIn(demo, 'eve@example.com');
  assert.equal(transaction.status, 'PASSWORD_EXPIRED');
  assert.equal(transaction.user.profile.login, 'eve@example.com');
  assert.equal(typeof transaction.changePassword, 'function');
});

test('PASSWORD_WARN comes when asked for, and can be skipped', async () => {
  const client = new OktaAuth({ issuer: `${demo}/oauth2/default` });
  const options = { warnBeforePasswordExpired: true };
  const transaction = await client.signInWithCredentials({ username: 'walt@example.com', password, options });
  assert.equal(transaction.status, 'PASSWORD_WARN');
  assert.equal(transaction.policy.expiration.passwordExpireDays, 5);
  assert.equal(typeof transaction.skip, 'function');
});

test('a policy that denies is an error of its own', async () => {
  await assert.rejects(signIn(demo, 'polly@example.com'), { errorCode: 'E0000085' });
});

test('a user name has four attempts a second', async () => {
  // All at once, they fall into two seconds at most.
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => signIn(demo, 'zoe@example.com')));
  const refused = attempts.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.errorCode);
  assert.ok(refused.length >= 12, `${refused.length} of 20`);
  assert.ok(refused.every((code) => code === 'E0000047'), refused.join());
});
