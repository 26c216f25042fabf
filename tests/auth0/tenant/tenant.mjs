// A small model of an Auth0 tenant with one import-mode connection: its store, and what it does around the scripts.
//
// [DOC] Auth0's documents say so. [SDK] its published code does so. [INFER] deduced; a real tenant may differ.
// What is modelled is what a person can do (log in, sign up, ask for a password reset and use its mail, change the address)
// and what the Management API does to one user. flows.mjs makes the table of it.

import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { factorsImportable, importable } from './profile.mjs';

// [DOC] the text for any failure of a script, whatever its cause
export const GENERIC = 'Something went wrong, please try again later.';
export const WRONG = 'Wrong email or password.';
const FACTORS = 'Unable to import MFA factors.'; // [DOC]
const SHORTEST = { none: 1, low: 6, fair: 8, good: 8, excellent: 10 }; // [DOC] `options.passwordPolicy`, the length alone

export class Tenant {
  #scripts;
  #sandbox;
  #users = new Map(); // by user_id: whom the dashboard shows
  #partial = new Map(); // by e-mail: [DOC] half-created by a reset, not searchable, remembered under the new password
  #tickets = new Map();

  /** What the log says, oldest first: `{ type, user_id, description }`. */
  logs = [];
  /** What the scripts did wrong, see `Fault`. */
  faults = [];
  /** The names of the scripts that ran. */
  ran = [];

  /** `database` is the connection's database.json; `configuration` its parameters. */
  constructor({ scripts, database, configuration, sandbox }) {
    this.#scripts = scripts;
    this.#sandbox = sandbox;
    this.options = { ...database.options };
    this.configuration = configuration;
    if (!this.options.import_mode) throw new Error('only import mode is modelled');
  }

  get users() {
    return [...this.#users.values()].map(({ password: _, ...user }) => user);
  }

  get partialUsers() {
    return [...this.#partial.keys()];
  }

  /**
   * Log-in: the store first; the script only for whom the store does not know. [DOC]
   *
   * `interrupted`: the person goes before Auth0 has written the whole profile. [DOC] the password stays, metadata is lost.
   */
  async logIn(identifier, password, { interrupted = false } = {}) {
    const stored = this.#find(identifier);
    if (stored) {
      // [INFER] a stored user's wrong password does not fall back to the script
      if (!matches(stored.password, password)) return this.#refuse('fp', stored.user_id, 'Wrong password', WRONG);
      return this.#welcome(stored);
    }
    const half = this.#partial.get(identifier.toLowerCase());
    if (half) {
      if (!matches(half.password, password)) return this.#refuse('fp', half.user.user_id, 'Wrong password', WRONG);
      this.#partial.delete(identifier.toLowerCase());
      return this.#import(half.user, half.password); // [DOC] the first log-in completes the user
    }
    const { error, result } = await this.#run('login', [identifier, password]);
    if (error) return this.#refuseLogIn(error);
    if (result === null) return this.#refuse('f', '', 'no profile', WRONG); // [DOC]
    // [DOC] of 2019: a password that the tenant's policy refuses is not taken over
    if (!this.#accepts(password)) return this.#refuse('f', '', 'PasswordStrengthError', GENERIC);
    const { app_metadata: _, user_metadata: __, ...half_done } = result;
    return this.#import(interrupted ? half_done : result, hash(password)); // [DOC] "using the same ID and password supplied"
  }

  /** Sign-up: only where neither the store nor the source has the address. */
  async signUp(email, password) {
    if (this.options.disable_signup) return this.#refuse('fs', '', 'sign-up is disabled', GENERIC); // [DOC]
    if (this.#find(email)) return this.#refuse('fs', '', 'user exists', GENERIC);
    if (!this.#accepts(password)) return this.#refuse('fs', '', 'PasswordStrengthError', GENERIC);
    const { error, result } = await this.#run('get_user', [email]);
    if (error) return this.#refuse('fs', '', error.message, shown(error));
    if (result !== null) return this.#refuse('fs', '', 'user exists', GENERIC); // [DOC]
    const user = this.#made(email, password);
    this.#log('ss', user.user_id, '');
    return { ok: true, user };
  }

  /** "I forgot my password": the ticket that a mail would carry, or none. The person sees the same in any case. [DOC] */
  async requestPasswordReset(email) {
    const stored = this.#find(email);
    if (stored) return this.#ticket({ userId: stored.user_id });
    const { error, result } = await this.#run('get_user', [email]);
    if (error) {
      this.#log('fcpr', '', error.message);
      return { ticket: null, shown: shown(error) };
    }
    if (result === null) return { ticket: null };
    return this.#ticket({ profile: result });
  }

  /** The link of the mail is followed and a new password chosen. */
  async confirmPasswordReset(ticket, password) {
    const { userId, profile } = this.#tickets.get(ticket) ?? {};
    if (!this.#accepts(password)) return { ok: false }; // [DOC] asked for another, the ticket stays good
    this.#tickets.delete(ticket);
    if (userId) this.#users.get(userId).password = hash(password);
    else if (profile) this.#partial.set(profile.email.toLowerCase(), { user: profile, password: hash(password) });
    else return { ok: false };
    this.#log('scp', userId ?? '', '');
    return { ok: true };
  }

  /** The address changes, by the Management API. [DOC] get_user is asked for the new one. */
  async changeEmail(userId, email) {
    const taken = this.#find(email);
    if (taken) return { ok: false, shown: 409 };
    const { error, result } = await this.#run('get_user', [email]);
    if (error) return { ok: false, shown: 500 }; // [INFER] the number; that it fails is [DOC]
    if (result !== null) return { ok: false, shown: 409 }; // [DOC] "The specified new email already exists"
    this.#users.get(userId).email = email.toLowerCase();
    return { ok: true };
  }

  /** `POST /api/v2/users`. [DOC] get_user is asked, and [DOC] half a user is in the way. */
  async managementCreate(email, password) {
    if (this.#find(email) || this.#partial.has(email.toLowerCase())) return { ok: false, shown: 409 };
    if (!this.#accepts(password)) return { ok: false, shown: 400 };
    const { error, result } = await this.#run('get_user', [email]);
    if (error) return { ok: false, shown: 500 }; // [INFER] the number
    if (result !== null) return { ok: false, shown: 409 };
    return { ok: true, user: this.#made(email, password) };
  }

  /** `DELETE /api/v2/connections/ID/users?email=`, the one way to be rid of half a user. [DOC] */
  deleteByEmail(email) {
    const whole = this.#find(email);
    if (whole) this.#users.delete(whole.user_id);
    return this.#partial.delete(email.toLowerCase()) || whole !== undefined;
  }

  /** An administrator deletes the user. [DOC] One who is still in the source comes back at the next log-in. */
  deleteUser(userId) {
    return this.#users.delete(userId);
  }

  #made(email, password) {
    const user = { user_id: `auth0|${randomUUID()}`, email: email.toLowerCase(), email_verified: false };
    this.#users.set(user.user_id, { ...user, password: hash(password) });
    return user;
  }

  #accepts(password) {
    return [...password].length >= SHORTEST[this.options.passwordPolicy ?? 'none'];
  }

  async #run(name, args) {
    this.ran.push(name);
    const report = await this.#sandbox.run({
      source: this.#scripts[name],
      args,
      configuration: this.configuration,
      context: this.options.enable_script_context ? {} : undefined,
    });
    this.faults.push(...report.faults);
    return report;
  }

  #import({ mfa_factors, ...profile }, password) {
    if (!factorsImportable(mfa_factors)) return this.#refuse('fu', '', FACTORS, GENERIC); // [DOC]
    let user;
    try {
      user = importable(profile, { requiresUsername: this.options.requires_username });
    } catch (problem) {
      return this.#refuse('f', '', problem.message, GENERIC);
    }
    const taken = this.users.some(
      (other) =>
        other.user_id === user.user_id || other.email === user.email || (user.username && other.username === user.username),
    );
    if (taken) return this.#refuse('f', user.user_id, 'the user already exists', GENERIC); // [DOC] unique
    this.#users.set(user.user_id, { ...user, password });
    return this.#welcome(user);
  }

  #welcome({ password: _, ...user }) {
    this.#log('s', user.user_id, '');
    return { ok: true, user };
  }

  #refuseLogIn(error) {
    if (error.name !== 'WrongUsernameOrPasswordError') return this.#refuse('f', '', error.message, shown(error));
    const type = error.user_id ? 'fp' : 'fu'; // [DOC]
    return this.#refuse(type, error.user_id ? `auth0|${error.user_id}` : '', error.message, WRONG);
  }

  #refuse(type, userId, description, text) {
    this.#log(type, userId, description);
    return { ok: false, shown: text };
  }

  #log(type, user_id, description) {
    this.logs.push({ type, user_id, description });
  }

  #ticket(what) {
    const ticket = randomUUID();
    this.#tickets.set(ticket, what);
    return { ticket };
  }

  #find(identifier) {
    const wanted = identifier.toLowerCase(); // [DOC]
    return [...this.#users.values()].find((user) => user.email === wanted || user.username === wanted);
  }
}

// [DOC] the message of an UnauthorizedError is shown; of any other error only the generic text
const shown = (error) => (error.name === 'UnauthorizedError' ? error.message : GENERIC);

// Auth0 uses bcrypt; a salted scrypt does here, since no hash leaves this file. [DOC] bcrypt's 72 bytes: the rest is cut off.
function hash(password) {
  const salt = randomBytes(16);
  return { salt, digest: digest(password, salt) };
}

function matches(stored, password) {
  return timingSafeEqual(stored.digest, digest(password, stored.salt));
}

function digest(password, salt) {
  return scryptSync(Buffer.from(password).subarray(0, 72), salt, 32, { N: 1024 });
}
