// idbridge: Action "password-expired", trigger post-login. Revision 1.
// Whose password had expired at the source chooses a new one before they get in.
const CONNECTION = '{{CONNECTION}}';

// For translation. The user sees these.
const TEXTS = {
  expired: 'Your password has expired. Please choose "Forgot password?" to set a new one.',
  missing: 'Something went wrong, please try again later.',
  sent: 'Your password has expired. We have sent you an email to set a new one.',
};

exports.onExecutePostLogin = async (event, api) => {
  const user = moved(event);
  if (!user) return;
  if (!user.facts) return api.access.deny(TEXTS.missing);
  if (!user.facts.password_expired) return;
  // Auth0 has this date from the first reset on, and not at creation: the expired password is gone.
  if (event.user.last_password_reset) {
    if (user.stored) api.user.setAppMetadata('idbridge', { ...user.stored, password_expired: false });
    return;
  }
  // A refresh token is exchanged by a program, over and over: no mail for that.
  const asked = event.transaction?.protocol !== 'oauth2-refresh-token';
  const sent = asked && (await sendMail(event).catch(() => false));
  api.access.deny(sent ? TEXTS.sent : TEXTS.expired);
};

// Auth0's own mail for a new password, as "Forgot password?" sends it.
async function sendMail(event) {
  const response = await fetch('https://' + event.request.hostname + '/dbconnections/change_password', {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: event.client.client_id, connection: CONNECTION, email: event.user.email }),
    signal: AbortSignal.timeout(5000),
  });
  return response.status === 200;
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
