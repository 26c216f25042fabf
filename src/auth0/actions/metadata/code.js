// idbridge: Action "metadata", trigger post-login, the first of idbridge's Actions. Revision 1.
// A first log-in that is cut off leaves a user without app_metadata. This Action fetches it again, or lets nobody in.
const CONNECTION = '{{CONNECTION}}';

// For translation. The user sees these.
const TEXTS = {
  refused: 'This account cannot be used here. Please contact support.',
  unavailable: 'Something went wrong, please try again later.',
};

exports.onExecutePostLogin = async (event, api) => {
  const user = moved(event);
  if (!user || user.stored) return;
  const answer = await lookUp(event).catch(() => null);
  if (!answer) return api.access.deny(TEXTS.unavailable);
  const facts = factsOf(answer.profile?.app_metadata?.idbridge);
  // Another user's facts are none: the address may have changed hands since.
  if (answer.outcome !== 'found' || answer.profile.user_id !== user.id || !facts) return api.access.deny(TEXTS.refused);
  api.user.setAppMetadata('idbridge', facts);
  // That is stored when all Actions have run; until then they read it here. Auth0 takes 8 KB: more groups wait a log-in.
  const { second_factor, password_expired, groups } = facts;
  const all = JSON.stringify({ second_factor, password_expired, groups });
  const fits = new TextEncoder().encode(all).length <= 8000;
  api.transaction.setMetadata('idbridge', fits ? all : JSON.stringify({ second_factor, password_expired }));
};

// What the gateway says of the user, or null where it could not say.
async function lookUp(event) {
  const { IDBRIDGE_URL: url, IDBRIDGE_KEY: key } = event.secrets;
  if (!url || !key || !event.user.email) return null;
  const response = await fetch(url.replace(/\/+$/, '') + '/auth0/v1/get-user', {
    method: 'POST',
    redirect: 'manual', // the key is never sent to another place
    headers: { accept: 'application/json', authorization: 'Bearer ' + key, 'content-type': 'application/json' },
    body: JSON.stringify({ identifier: event.user.email }),
    signal: AbortSignal.timeout(7000),
  });
  if (response.status !== 200) return null;
  const answer = await response.json();
  return ['found', 'not_found', 'rejected'].includes(answer?.outcome) ? answer : null;
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
