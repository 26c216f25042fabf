// One run of a script against a double of the gateway, and the five ways it may end.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { startDouble } from './double.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { argumentsOf, SCRIPTS } from './scripts.mjs';

export const IDENTIFIER = 'Ada@Example.com';
export const PASSWORD = ' correct "horse" 🐎\u0301 staple ';
export const KEY = 'idb_secret-key-of-the-caller';
export const PROFILE = {
  user_id: 'okta|00u1', email: 'ada@example.com', email_verified: false, name: 'Ada Lovelace',
  app_metadata: { idbridge: { source: 'okta', source_id: '00u1', groups: ['a'] } },
};
export const REASONS = [
  'account_disabled', 'account_inactive', 'account_locked', 'denied_by_policy', 'identifier_not_portable', 'no_password',
  'not_in_cohort', 'password_expired', 'password_not_accepted_by_target', 'second_factor_required',
];
export const CREDENTIAL_REASONS = ['invalid_credentials', 'unknown_user', 'wrong_password'];
export const BOTH = ['login', 'get_user'];
export const YES = { login: { outcome: 'authenticated', profile: PROFILE }, get_user: { outcome: 'found', profile: PROFILE } };

export const sandbox = new Sandbox();
after(() => sandbox.close());

/** Runs a script against a double that answers so. The script must have behaved, whatever it said. */
export async function ask(script, answer, { configuration, ...more } = {}) {
  const double = await startDouble(answer);
  try {
    const report = await sandbox.run({
      source: SCRIPTS[script],
      args: argumentsOf(script, IDENTIFIER, PASSWORD),
      configuration: { IDBRIDGE_URL: double.url, IDBRIDGE_KEY: KEY, ...configuration },
      ...more,
    });
    assertWellBehaved(report);
    return { ...report, asked: double.asked };
  } finally {
    await double.close();
  }
}

export function assertWellBehaved(report) {
  assert.deepEqual(report.faults, []);
  assert.equal(report.calls.length, 1);
  assert.deepEqual(report.console, [], 'a script writes nothing to the console');
  const told = JSON.stringify([report.calls, report.console]);
  assert.ok(!told.includes(KEY) && !told.includes('staple'), 'neither key nor password leaves the script');
}

export const assertYes = ({ error, result }) => assert.deepEqual({ error, result }, { error: null, result: PROFILE });
export const assertNobody = ({ error, result }) => assert.deepEqual({ error, result }, { error: null, result: null });

export function assertWrong({ error }, userId) {
  assert.equal(error?.name, 'WrongUsernameOrPasswordError');
  assert.equal(error.user_id, userId);
  assert.equal(error.message, 'Wrong email or password.');
}

export function assertUnauthorized({ error }, text) {
  assert.equal(error?.name, 'UnauthorizedError');
  if (text) assert.equal(error.message, text);
}

/** "I could not find out": never a wrong password, never nobody, and no word of the other side's. */
export function assertFailed({ error }, requestId) {
  assert.equal(error?.name, 'Error', JSON.stringify(error));
  assert.match(error.message, /^(idbridge|IDBRIDGE_)[^]* \((HTTP \d+, )?request id [A-Za-z0-9._-]{1,64}\)$/);
  if (requestId) assert.ok(error.message.endsWith(`request id ${requestId})`), error.message);
}

/** The script's own text for a reason. */
export function textOf(reason) {
  const [, text] = SCRIPTS.login.match(new RegExp(`^ {6}${reason}: '(.*)',$`, 'm')) ?? [];
  assert.ok(text, `a text for ${reason}`);
  return text;
}
