// idbridge: Action "second-factor", trigger post-login. Revision 1.
// Who had a second factor at the source is asked for one here.
const CONNECTION = '{{CONNECTION}}';

// For translation. The user sees this.
const TEXTS = { missing: 'Something went wrong, please try again later.' };

exports.onExecutePostLogin = async (event, api) => {
  const user = moved(event);
  if (!user) return;
  if (!user.facts) return api.access.deny(TEXTS.missing);
  if (!user.facts.second_factor) return;
  // A refresh token comes of a log-in that was asked, and nobody is there to answer.
  if (event.transaction?.protocol === 'oauth2-refresh-token') return;
  // Once a session: else every silent renewal would fail.
  if (event.authentication?.methods?.some((method) => method.name === 'mfa')) return;
  api.multifactor.enable('any', { allowRememberBrowser: false });
};

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
