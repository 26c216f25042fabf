// The people of __NAME__: the part to replace. It answers two questions, and says so when it can't.
//
// Here they stand in a file, `people.toml`, as `idbridge plugin people` writes one.

import { timingSafeEqual, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';

/** Neither yes nor no. Throw it whenever the answer isn't known: an outage is never a no. */
export class CouldNotFindOut extends Error {
  constructor(reason, wait) {
    super(reason);
    this.reason = reason; // a key of STATUSES in plugin.js
    this.wait = wait; // seconds, where the upstream has said so
  }
}

const STATUSES = {
  denied: 'DENIED_BY_POLICY',
  disabled: 'ACCOUNT_DISABLED',
  inactive: 'ACCOUNT_INACTIVE',
  locked: 'ACCOUNT_LOCKED',
  no_password: 'NO_PASSWORD',
};

/**
 * Answers are `{ user }`, `{ rejection }` with a name of idbridge.v1.RejectionReason, or, of look-ups, `null` for nobody.
 *
 * Of a user, `id` is stable for ever: no login and no address, which change hands. `email_verified` is never true without
 * evidence; leave it out if it isn't known.
 */
export class People {
  #people;

  constructor(path) {
    this.#people = parse(readFileSync(path, 'utf8')).people;
  }

  /** The password is tried once, whatever fails. */
  async checkPassword(login, password) {
    const person = this.#people.find((one) => same(one.login, login));
    if (!person) return { rejection: 'UNKNOWN_USER' };
    if (person.password === undefined) return { rejection: 'NO_PASSWORD' };
    if (!timingSafeEqual(digest(person.password), digest(password))) return { rejection: 'WRONG_PASSWORD' };
    if (person.password_expired) return { rejection: 'PASSWORD_EXPIRED' };
    return admitted(person);
  }

  /** The address is the e-mail's: a login that looks like it proves nothing. */
  async findByEmail(email) {
    const found = this.#people.filter((one) => same(one.email, email));
    if (found.length > 1) throw new CouldNotFindOut('AMBIGUOUS_USER');
    return found.length === 1 ? admitted(found[0]) : null;
  }
}

/** The same at log-ins and look-ups: who may not log in may not come in by a password reset either. */
function admitted({ password, status = 'active', ...user }) {
  if (status !== 'active') return { rejection: STATUSES[status] };
  return user.second_factor ? { rejection: 'SECOND_FACTOR_REQUIRED' } : { user };
}

/** As idbridge compares identifiers: the same letters however they are composed (NFC), ASCII in either case. */
function same(one, other) {
  const folded = (text) => text.normalize('NFC').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded(one) === folded(other);
}

function digest(text) {
  return createHash('sha256').update(text).digest();
}
