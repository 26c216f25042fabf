// Who lives in the simulated Okta org of the chain, and what each script must make of them.
//
// `login_outcome`, `get_user_outcome`: the gateway's outcome or its reason. The names and states are those of the program that starts the
// chain; they are written down here only.

export const ORG_PREFIX = 'okta';

const person = (login, password, outcomes, email = login) => ({ login, email, password, ...outcomes });

export const PEOPLE = Object.freeze({
  ada: person('ada@example.com', 'correct horse battery staple', { login_outcome: 'authenticated', get_user_outcome: 'found' }),
  bob: person('bob@example.com', 'hunter2 but longer', { login_outcome: 'authenticated', get_user_outcome: 'found' }),
  // a password that is easily damaged on its way
  odd: person('odd@example.com', ' "quoted" \\ 🐎 e\u0301 ', { login_outcome: 'authenticated', get_user_outcome: 'found' }),
  // logs in to Okta with another address than her mailbox
  carol: person(
    'carol@corp.example.com', 'carol keeps two names', { login_outcome: 'identifier_not_portable', get_user_outcome: 'found' }, 'carol@example.com',
  ),
  expired: person('expired@example.com', 'expired long ago', { login_outcome: 'password_expired', get_user_outcome: 'found' }),
  mfa: person('mfa@example.com', 'and a second factor', {
    login_outcome: 'second_factor_required', get_user_outcome: 'second_factor_required',
  }),
  // Okta's log-in says the same of all of these: the credentials are wrong
  fed: person('fed@example.com', 'federated elsewhere', { login_outcome: 'invalid_credentials', get_user_outcome: 'no_password' }),
  gone: person('gone@example.com', 'gone for good', { login_outcome: 'invalid_credentials', get_user_outcome: 'account_disabled' }),
  locked: person('locked@example.com', 'locked for now', { login_outcome: 'invalid_credentials', get_user_outcome: 'account_locked' }),
  staged: person('staged@example.com', 'staged, not active', { login_outcome: 'invalid_credentials', get_user_outcome: 'account_inactive' }),
  sue: person('sue@example.com', 'suspended it is', { login_outcome: 'invalid_credentials', get_user_outcome: 'account_disabled' }),
});

/** Two users of the org have this as their e-mail address. */
export const SHARED_ADDRESS = 'twin@example.com';

/** Nobody has this. */
export const NOBODY = 'nobody@example.com';
