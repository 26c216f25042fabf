// What each flow at Auth0 does with each answer of the gateway: the exported scripts run in the model of a tenant, in front of
// a double of the gateway. `node tenant/flows.mjs --write` writes docs/auth0-flows.md; flows.test.mjs holds it against this.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { says, startDouble } from '../double.mjs';
import { Containers } from '../sandbox/sandbox.mjs';
import { DATABASE_JSON, SCRIPTS } from '../scripts.mjs';
import { GENERIC, Tenant, WRONG } from './tenant.mjs';

export const DOCUMENT = fileURLToPath(new URL('../../../docs/auth0-flows.md', import.meta.url));
export const ANSWERS = ['found', 'absent', 'ineligible', 'outage'];

const ADA = 'ada@example.com';
const OLD = 'old password of ada';
const NEW = 'new password of ada';
const COMPOSED = 'zo\u00eb@example.com';
const PROFILE = {
  user_id: 'okta|00u1', email: ADA, email_verified: true, app_metadata: { idbridge: { second_factor: false, password_expired: false } },
};

/**
 * One flow. `act` starts with an empty tenant and a gateway that gives the answer; `known: true`: ada has come in before.
 * `opens`: answers besides `found` after which somebody may be in the store. `from`: what the model's step rests on.
 */
const flow = (name, from, act, more = {}) => ({ name, from, act, opens: [], options: {}, profile: {}, known: false, gate: {}, ...more });

// What the broker's and the gateway's own rules make of the source's answer: what they don't name stays as it is.
const GATE = {
  cohort: { found: 'not_in_cohort' },
  lookupOnly: { login: Object.fromEntries(ANSWERS.map((answer) => [answer, 'unsupported'])) },
  off: Object.fromEntries(ANSWERS.map((answer) => [answer, 'outage'])),
  password: { login: { found: 'password_not_accepted_by_target' } },
  tombstone: { found: 'absent' },
};

export const FLOWS = [
  flow('First log-in', 'a', (t) => t.logIn(ADA, OLD)),
  flow('Log-in again', 'a b', (t) => t.logIn(ADA, OLD), { known: true }),
  flow('Log-in again, wrong password', 'b', (t) => t.logIn(ADA, NEW), { known: true }),
  flow('First log-in in capitals, then in lower case', 'c', async (t) => {
    const first = await t.logIn(ADA.toUpperCase(), OLD);
    return first.ok ? t.logIn(ADA, OLD) : first;
  }),
  flow('First log-in with a composed ë, then a decomposed one', 'd', async (t) => {
    const first = await t.logIn(COMPOSED, OLD);
    return first.ok ? t.logIn(COMPOSED.normalize('NFD'), OLD) : first;
  }, { profile: { email: COMPOSED } }),
  flow('First log-in by user name, then by address', 'c e', async (t) => {
    const first = await t.logIn('Ada', OLD);
    return first.ok ? t.logIn(ADA, OLD) : first;
  }, { options: { requires_username: true }, profile: { username: 'ada' } }),
  flow('First log-in, user name required, none in the profile', 'e', (t) => t.logIn(ADA, OLD), { options: { requires_username: true } }),
  flow('Two first log-ins at the same moment', 'd', async (t) => {
    const both = await Promise.all([t.logIn(ADA, OLD), t.logIn(ADA, OLD)]);
    const lost = both.find(({ ok }) => !ok);
    const again = await t.logIn(ADA, OLD);
    return { ...again, note: again.ok && lost ? `the loser sees the ${text(lost.shown)} and is in at the next try` : undefined };
  }),
  flow('First log-in, cut off; then again', 'f', async (t) => {
    await t.logIn(ADA, OLD, { interrupted: true });
    const again = await t.logIn(ADA, OLD);
    return { ...again, note: again.ok && !again.user.app_metadata ? 'without metadata: the Action `metadata` fetches it' : undefined };
  }),
  flow('First log-in, password shorter than the policy', 'g', (t) => t.logIn(ADA, 'short'), { options: { passwordPolicy: 'good' } }),
  flow('The same, with the policy in `rest.auth0.password`', 'm', (t) => t.logIn(ADA, 'short'), {
    options: { passwordPolicy: 'good' }, gate: GATE.password,
  }),
  flow('The same; then reset and log-in', 'm k f', async (t) => {
    await t.logIn(ADA, 'short');
    return reset(t);
  }, { options: { passwordPolicy: 'good' }, gate: GATE.password }),
  flow('First log-in with 80 bytes, and `rest.auth0.password`', 'm', (t) => t.logIn(ADA, 'x'.repeat(80)), { gate: GATE.password }),
  flow('The same without that table; then another end after byte 72', 'h', async (t) => {
    const first = await t.logIn(ADA, 'x'.repeat(80));
    return first.ok ? t.logIn(ADA, `${'x'.repeat(72)}another`) : first;
  }),
  flow('First log-in, good `mfa_factors`', 'i', (t) => t.logIn(ADA, OLD), { profile: { mfa_factors: [{ totp: { secret: 'MFRGG' } }] } }),
  flow('First log-in, bad `mfa_factors`', 'i', (t) => t.logIn(ADA, OLD), { profile: { mfa_factors: [{ totp: { secret: 'padded==' } }] } }),
  flow('Sign-up, as exported', 'j', (t) => t.signUp(ADA, NEW)),
  flow('Sign-up, where it is open', 'k', (t) => t.signUp(ADA, NEW), { options: { disable_signup: false }, opens: ['absent'] }),
  flow('Reset before the first log-in, then log-in', 'k f', reset),
  flow('Reset after the first log-in, then log-in', 'b k', reset, { known: true }),
  flow('Reset by user name before the first log-in', 'e k', async (t) => asked(await t.requestPasswordReset('ada')), { options: { requires_username: true } }),
  flow('Reset finished, then no log-in: Management create', 'f', async (t) => {
    const { ticket } = await t.requestPasswordReset(ADA);
    if (ticket) await t.confirmPasswordReset(ticket, NEW);
    return t.managementCreate(ADA, NEW);
  }, { opens: ['absent'] }),
  flow('The same, half a user deleted before; then log-in', 'f', async (t) => {
    const { ticket } = await t.requestPasswordReset(ADA);
    if (ticket) await t.confirmPasswordReset(ticket, NEW);
    t.deleteByEmail(ADA);
    return t.logIn(ADA, OLD);
  }),
  flow('Management create', 'l', (t) => t.managementCreate(ADA, NEW), { opens: ['absent'] }),
  flow('Change of address to a new one', 'l', (t) => t.changeEmail('auth0|okta|00u1', 'new@example.com'), { known: true }),
  flow('Address changed; log-in with the old one', 'b d', async (t, world) => {
    await world.during('absent', () => t.changeEmail('auth0|okta|00u1', 'new@example.com'));
    return t.logIn(ADA, OLD);
  }, { known: true }),
  flow('Deleted at Auth0; log-in', 'f', (t) => {
    t.deleteUser('auth0|okta|00u1');
    return t.logIn(ADA, OLD);
  }, { known: true, gone: true }),
  flow('Deleted at Auth0; reset, then log-in', 'd f', (t) => {
    t.deleteUser('auth0|okta|00u1');
    return reset(t);
  }, { known: true, gone: true }),
];

FLOWS.push(
  flow('Not in the cohort: first log-in', 'm', (t) => t.logIn(ADA, OLD), { gate: GATE.cohort }),
  flow('Not in the cohort: reset', 'm k', reset, { gate: GATE.cohort }),
  flow('Not in the cohort: sign-up, where it is open', 'm k', (t) => t.signUp(ADA, NEW), {
    gate: GATE.cohort, options: { disable_signup: false }, opens: ['absent'],
  }),
  flow('Out of the cohort after the move: log-in', 'm b', (t) => t.logIn(ADA, OLD), { gate: GATE.cohort, known: true }),
  flow('`mode = "lookup_only"`: first log-in', 'm', (t) => t.logIn(ADA, OLD), { gate: GATE.lookupOnly }),
  flow('`mode = "lookup_only"`: reset, then log-in', 'm k f', reset, { gate: GATE.lookupOnly }),
  flow('`mode = "off"`: first log-in', 'm', (t) => t.logIn(ADA, OLD), { gate: GATE.off }),
  flow('`mode = "off"`: sign-up, where it is open', 'm k', (t) => t.signUp(ADA, NEW), { gate: GATE.off, options: { disable_signup: false } }),
  flow('`mode = "off"` after the move: log-in', 'm b', (t) => t.logIn(ADA, OLD), { gate: GATE.off, known: true }),
  flow('Deleted at Auth0, with a tombstone; log-in', 'm f', (t) => {
    t.deleteUser('auth0|okta|00u1');
    return t.logIn(ADA, OLD);
  }, { gate: GATE.tombstone, known: true, gone: true }),
  flow('Deleted at Auth0, with a tombstone; reset', 'm f', (t) => {
    t.deleteUser('auth0|okta|00u1');
    return reset(t);
  }, { gate: GATE.tombstone, known: true, gone: true }),
  flow('Deleted at Auth0, with a tombstone; sign-up, where it is open', 'm k', (t) => {
    t.deleteUser('auth0|okta|00u1');
    return t.signUp(ADA, NEW);
  }, { gate: GATE.tombstone, known: true, gone: true, options: { disable_signup: false }, opens: ['found', 'absent'] }),
  flow('Address changed, with a tombstone; log-in with the old one', 'm b', async (t, world) => {
    await world.during('absent', () => t.changeEmail('auth0|okta|00u1', 'new@example.com'));
    return t.logIn(ADA, OLD);
  }, { gate: GATE.tombstone, known: true }),
);

async function reset(t) {
  const { ticket, shown } = await t.requestPasswordReset(ADA);
  if (!ticket) return asked({ ticket, shown });
  await t.confirmPasswordReset(ticket, NEW);
  return t.logIn(ADA, NEW);
}

// [DOC] who asks for a mail sees the same whether there is one or not; only an error of the script shows.
const asked = ({ ticket, shown }) => ({ ok: ticket !== null, shown: shown ?? 'no mail' });

/** Runs one flow with one answer: its cell, and the tenant afterwards. */
export async function run({ act, options, profile, known, gate }, answer, containers) {
  let now = known ? 'found' : answer;
  let rules = {}; // whoever is known came before there were any
  const said = (login) => (login ? rules.login?.[now] : undefined) ?? rules[now] ?? now;
  const gateway = await startDouble((request, response) => {
    const login = request.url.endsWith('/login');
    answers(said(login), login, { ...PROFILE, ...profile })(request, response);
  });
  const database = JSON.parse(DATABASE_JSON);
  Object.assign(database.options, options);
  const tenant = new Tenant({
    scripts: SCRIPTS, database, sandbox: containers, configuration: { IDBRIDGE_KEY: 'idb_key', IDBRIDGE_URL: gateway.url },
  });
  if (known && !(await tenant.logIn(ADA, OLD)).ok) throw new Error('ada did not come in');
  now = answer;
  rules = gate;
  tenant.ran.length = 0;
  const world = {
    async during(other, work) {
      now = other;
      await work();
      now = answer;
    },
  };
  const outcome = await act(tenant, world);
  await gateway.close();
  return { cell: cell(outcome, tenant), outcome, tenant };
}

function answers(answer, login, profile) {
  if (answer === 'found') return says.outcome({ outcome: login ? 'authenticated' : 'found', profile });
  if (answer === 'ineligible') return says.outcome({ outcome: 'rejected', reason: 'account_disabled' });
  if (answer === 'not_in_cohort' || answer === 'password_not_accepted_by_target') {
    return says.outcome({ outcome: 'rejected', reason: answer });
  }
  if (answer === 'outage') return says.problem(503, 'source_unavailable');
  if (answer === 'unsupported') return says.problem(501, 'operation_unsupported');
  return says.outcome(login ? { outcome: 'rejected', reason: 'unknown_user' } : { outcome: 'not_found' });
}

function cell({ ok, shown, note }, tenant) {
  const store = [...tenant.users.map(() => 'user'), ...tenant.partialUsers.map(() => 'half a user')].join(', ') || 'nobody';
  const scripts = tenant.ran.join(', ') || 'no script';
  return `${ok ? '**yes**' : `no: ${text(shown)}`}; ${store}; ${scripts}${note ? `; ${note}` : ''}`;
}

function text(shown) {
  if (shown === GENERIC) return 'general text';
  if (shown === WRONG) return '"wrong"';
  return typeof shown === 'number' || shown === 'no mail' ? String(shown) : "reason's text";
}

export async function document() {
  const containers = new Containers();
  const rows = [];
  for (const one of FLOWS) {
    const cells = [];
    for (const answer of ANSWERS) cells.push((await run(one, answer, containers)).cell);
    rows.push(`| ${one.name} | ${cells.join(' | ')} | ${one.from} |`);
  }
  containers.close();
  return readFileSync(new URL('flows.md', import.meta.url), 'utf8').replace('{{ROWS}}', rows.join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await document();
  if (process.argv[2] === '--write') writeFileSync(DOCUMENT, text);
  else process.stdout.write(text);
}
