// The people of __NAME__: the part to replace. It answers two questions, and says so when it can't.
//
// Here they stand in a file, `people.toml`, which `idbridge plugin test` reads too.

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

const STATUSES = { disabled: 'ACCOUNT_DISABLED', inactive: 'ACCOUNT_INACTIVE', locked: 'ACCOUNT_LOCKED' };

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
    if (!timingSafeEqual(digest(person.password), digest(password))) return { rejection: 'WRONG_PASSWORD' };
    return answer(person);
  }

  /** The address is the e-mail's: a login that looks like it proves nothing. */
  async findByEmail(email) {
    const found = this.#people.filter((one) => same(one.email, email));
    if (found.length > 1) throw new CouldNotFindOut('AMBIGUOUS_USER');
    return found.length === 1 ? answer(found[0]) : null;
  }
}

function answer({ password, status = 'active', ...user }) {
  return status === 'active' ? { user } : { rejection: STATUSES[status] };
}

/** As idbridge compares identifiers: ASCII letters in either case, and nothing else. */
function same(one, other) {
  const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lower(one) === lower(other);
}

function digest(text) {
  return createHash('sha256').update(text).digest();
}
