// idbridge: Action "roles", trigger post-login, the last of idbridge's Actions. Revision 1.
// Gives a moved user the Auth0 roles that their groups at the source stand for, each once.
const CONNECTION = '{{CONNECTION}}';

exports.onExecutePostLogin = async (event, api) => {
  const user = moved(event);
  const table = parsed(event.secrets.IDBRIDGE_ROLES);
  if (!user?.facts || typeof table !== 'object' || table === null) return;
  // Given once: a role that an administrator takes away stays away.
  const given = event.user.app_metadata?.idbridge_roles ?? [];
  const meant = (user.facts.groups ?? []).filter((group) => Object.hasOwn(table, group)).map((group) => table[group]);
  const missing = [...new Set(meant)].filter((role) => typeof role === 'string' && !given.includes(role));
  if (missing.length === 0) return;
  try {
    await assign(event, api, missing);
    api.user.setAppMetadata('idbridge_roles', [...given, ...missing]);
  } catch {
    // Fewer rights, never more: the log-in goes on, and the next one tries again.
    console.log('idbridge: roles were not given; the next log-in tries again');
  }
};

async function assign(event, api, roles) {
  const path = '/api/v2/users/' + encodeURIComponent(event.user.user_id) + '/roles';
  await post(event, path, { roles }, { authorization: 'Bearer ' + (await token(event, api)) });
}

async function token(event, api) {
  const kept = api.cache.get('idbridge-management-token');
  if (kept) return kept.value;
  const { IDBRIDGE_MANAGEMENT_DOMAIN: domain, IDBRIDGE_MANAGEMENT_ID, IDBRIDGE_MANAGEMENT_SECRET } = event.secrets;
  const response = await post(event, '/oauth/token', {
    audience: 'https://' + domain + '/api/v2/',
    client_id: IDBRIDGE_MANAGEMENT_ID,
    client_secret: IDBRIDGE_MANAGEMENT_SECRET,
    grant_type: 'client_credentials',
  });
  const { access_token, expires_in } = await response.json();
  if (typeof access_token !== 'string') throw new Error('no token');
  // Half its life, so that no log-in meets its end. A token that is too long isn't kept, which is no failure.
  api.cache.set('idbridge-management-token', access_token, { ttl: (Number(expires_in) || 60) * 500 });
  return access_token;
}

async function post(event, path, body, headers = {}) {
  const response = await fetch('https://' + event.secrets.IDBRIDGE_MANAGEMENT_DOMAIN + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(3000),
  });
  if (!response.ok) throw new Error('HTTP ' + response.status);
  return response;
}

// From here on, this Action and its siblings are the same.

// Who logged in, if idbridge moved them: their id in the source's form, and what the source said of them. Null: nobody of
// ours. Facts come from the profile, or from the Action "metadata", which had to fetch them in this very log-in.
function moved(event) {
  const identity = (event.user.identities || []).find((one) => one.connection === CONNECTION);
  // Some flows have no connection: then the user's own tells.
  if (event.connection ? event.connection.name !== CONNECTION : !identity) return null;
  const id = String(identity?.user_id ?? '').replace(/^auth0\|/, '');
  // Who signed up at Auth0 has an id of Auth0's making, with no source before it.
  if (identity && !id.includes('|')) return null;
  const stored = factsOf(event.user.app_metadata?.idbridge);
  return { id, stored, facts: stored ?? factsOf(parsed(event.transaction?.metadata?.idbridge)) };
}

// Facts are whole or none: a profile that lacks a flag says nothing about it.
function factsOf(value) {
  const whole = typeof value?.second_factor === 'boolean' && typeof value.password_expired === 'boolean';
  return whole ? value : null;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
