// What Auth0 lets into its store from a script's profile. Each rule carries where it is known from (../README.md).

const ROOT = new Set([
  // [DOC] the normalised profile; other root fields from a script: unverified, so refused here
  'app_metadata', 'email', 'email_verified', 'family_name', 'given_name', 'mfa_factors', 'name', 'nickname', 'phone_number', 'picture',
  'user_id', 'user_metadata', 'username',
]);
const LENGTHS = { family_name: 150, given_name: 150, name: 150, nickname: 350 }; // [DOC] from 1
const APP_METADATA_RESERVED = new Set([
  // [DOC] for bulk imports; [INFER] the same here
  '__tenant', '_id', 'blocked', 'clientID', 'client_id', 'created_at', 'email', 'email_verified', 'globalClientID',
  'global_client_id', 'identities', 'lastIP', 'lastLogin', 'loginsCount', 'metadata', 'multifactor',
  'multifactor_last_modified', 'updated_at', 'user_id',
]);

/** Gives the user as it would be stored, or throws with everything that is wrong with the profile. */
export function importable(profile, { requiresUsername }) {
  const wrong = [...problems(profile, requiresUsername)];
  if (wrong.length > 0) throw new Error(`the profile cannot be imported: ${wrong.join('; ')}`);
  return {
    ...profile,
    user_id: `auth0|${profile.user_id}`, // [DOC]
    email: profile.email.toLowerCase(), // [DOC] e-mail and user name are lower-cased in import mode
    ...(profile.username && { username: profile.username.toLowerCase() }),
  };
}

function* problems(profile, requiresUsername) {
  if (!isObject(profile)) return yield 'it is not an object';
  for (const field of Object.keys(profile)) if (!ROOT.has(field)) yield `unknown field ${field}`;
  if (!isText(profile.user_id)) yield 'user_id is not a text'; // [DOC] unique, immutable, mandatory
  else if (profile.user_id.startsWith('auth0|')) yield 'user_id is prefixed twice'; // [DOC]
  if (!isEmail(profile.email)) yield 'email is not an address'; // [DOC]
  for (const [field, longest] of Object.entries(LENGTHS)) {
    if (field in profile && !(isText(profile[field]) && [...profile[field]].length <= longest)) yield `${field} is out of bounds`;
  }
  // [INFER] Auth0 stores whatever comes; a number fails every `=== true` behind it
  if ('email_verified' in profile && typeof profile.email_verified !== 'boolean') yield 'email_verified is not a boolean';
  if (requiresUsername && !profile.username) yield 'username is missing'; // [DOC]
  if ('username' in profile && !isUsername(profile.username)) yield 'username is not allowed';
  for (const field of ['app_metadata', 'user_metadata']) {
    if (field in profile) yield* metadataProblems(field, profile[field]);
  }
}

/** [DOC] One to ten, each of one kind; a single bad one fails the whole log-in. */
export function factorsImportable(factors) {
  if (factors === undefined) return true;
  return Array.isArray(factors) && factors.length >= 1 && factors.length <= 10 && factors.every(isFactor);
}

function isFactor(factor) {
  if (!isObject(factor) || Object.keys(factor).length !== 1) return false;
  const { email, phone, totp } = factor;
  if (totp) return isText(totp.secret) && /^[A-Z2-7]+$/.test(totp.secret);
  if (phone) return isText(phone.value) && /^\+[0-9]{1,15}$/.test(phone.value);
  return isEmail(email?.value);
}

function* metadataProblems(field, metadata) {
  if (!isObject(metadata)) return yield `${field} is not an object`; // [DOC]
  for (const key of keysWithin(metadata)) if (/[.$]/.test(key)) yield `${field} has the key ${key}`; // [DOC]
  if (field === 'app_metadata') {
    for (const key of Object.keys(metadata)) if (APP_METADATA_RESERVED.has(key)) yield `app_metadata.${key} is reserved`;
  }
}

function* keysWithin(value) {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield key;
    yield* keysWithin(inner);
  }
}

// [DOC] local part up to 64, 254 in all
const isEmail = (value) => isText(value) && value.length <= 254 && /^[^\s@]{1,64}@[^\s@]+\.[^\s@]+$/.test(value);

// [DOC] these characters, 1 to 15 by default, no e-mail address
const isUsername = (value) => isText(value) && /^[A-Za-z0-9@^$.!`\-#+'~_]{1,15}$/.test(value) && !isEmail(value);

const isText = (value) => typeof value === 'string' && value.length > 0;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
