// idbridge: script "get_user" of an Auth0 custom database connection in import mode. Script revision 1.
// It asks the idbridge gateway who has this address. Paste the whole file; it needs no module.
// Configuration of the connection: IDBRIDGE_URL (https://...) and IDBRIDGE_KEY (the caller's key).
function getUser(identifier) {
  // For translation. The user sees the texts under "refused"; the others go to the tenant's log.
  const TEXTS = {
    refused: {
      account_disabled: 'This account is disabled. Please contact support.',
      account_inactive: 'This account is not active yet. Please contact support.',
      account_locked: 'This account is locked. Please contact support.',
      denied_by_policy: 'Signing in to this account is not allowed. Please contact support.',
      identifier_not_portable: 'Please use your email address instead.',
      no_password: 'This account has no password here. Please use your usual way to sign in.',
      not_in_cohort: 'This account cannot be used here yet. Please use your usual way to sign in.',
      password_expired: 'Your password has expired. Please contact support.',
      password_not_accepted_by_target: 'Your password does not meet the rules here. Please reset it.',
      second_factor_required: 'This account needs a second factor and cannot be moved yet. Please contact support.',
      other: 'This account cannot be used here. Please contact support.',
    },
    unavailable: 'idbridge gave no usable answer',
    timeout: 'idbridge did not answer in time',
    unconfigured: 'IDBRIDGE_URL (absolute, http or https) or IDBRIDGE_KEY is not configured',
  };
  const callback = arguments[arguments.length - 1]; // Auth0 may put a context before it

  async function answer() {
    const { status, body } = await ask('/auth0/v1/get-user', { identifier });
    if (status !== 200) throw failure(TEXTS.unavailable, status);
    if (body.outcome === 'found' && isProfile(body.profile)) return [null, body.profile];
    // The only way to "no such user", which lets anybody sign up with this address: this answer and nothing beside it.
    if (body.outcome === 'not_found' && Object.keys(body).length === 1) return [null];
    if (body.outcome !== 'rejected' || !isText(body.reason)) throw failure(TEXTS.unavailable, status);
    // Without a password, nothing can be said of one.
    if (/^(unknown_user|wrong_password|invalid_credentials)$/.test(body.reason)) throw failure(TEXTS.unavailable, status);
    throw new UnauthorizedError(refusal(body.reason));
  }

  // From here on, both scripts are the same.

  let requestId = 'auth0-' + Date.now().toString(36) + '-' + Math.random().toString(36).slice(2, 12);

  async function ask(path, question) {
    let url, key;
    try {
      url = configuration.IDBRIDGE_URL;
      key = configuration.IDBRIDGE_KEY;
    } catch {
      // Where there is no configuration at all, it is as if both were missing.
    }
    if (!isText(url) || !/^https?:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/i.test(url) || !isText(key)) {
      throw failure(TEXTS.unconfigured);
    }
    const stop = new AbortController();
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => {
        reject(failure(TEXTS.timeout));
        stop.abort();
      }, 7000);
    });
    const exchange = async () => {
      const response = await fetch(url.replace(/\/+$/, '') + path, {
        method: 'POST',
        redirect: 'manual', // a password is never sent to another place
        headers: {
          accept: 'application/json, application/problem+json',
          authorization: 'Bearer ' + key,
          'content-type': 'application/json',
          'x-request-id': requestId,
        },
        body: JSON.stringify(question),
        signal: stop.signal,
      });
      return read(response);
    };
    // What fetch throws stays inside: its messages can quote the key.
    const asked = exchange().catch(() => {
      throw failure(TEXTS.unavailable);
    });
    return Promise.race([asked, limit]).finally(() => clearTimeout(timer));
  }

  // A body counts only if it is a whole JSON object of the right type.
  async function read(response) {
    noteRequestId(response.headers.get('x-request-id'));
    const type = (response.headers.get('content-type') || '').split(';')[0].trim().toLowerCase();
    const right = type === (response.status === 200 ? 'application/json' : 'application/problem+json');
    let body;
    try {
      body = JSON.parse(await response.text());
    } catch {
      body = null;
    }
    if (!right || !isObject(body)) return { status: response.status, body: {} };
    noteRequestId(body.request_id);
    return { status: response.status, body };
  }

  function noteRequestId(id) {
    if (isText(id) && /^[A-Za-z0-9._-]{1,64}$/.test(id)) requestId = id;
  }

  function failure(text, status) {
    return new Error(text + ' (' + (status ? 'HTTP ' + status + ', ' : '') + 'request id ' + requestId + ')');
  }

  function refusal(reason) {
    return Object.prototype.hasOwnProperty.call(TEXTS.refused, reason) ? TEXTS.refused[reason] : TEXTS.refused.other;
  }

  function isProfile(value) {
    return isObject(value) && isText(value.user_id) && isText(value.email);
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }

  function isText(value) {
    return typeof value === 'string' && value.trim() !== '';
  }

  // Exactly one call back. If it throws, the answer is given already and there is nobody left to tell.
  answer().then((result) => callback(...result), (error) => callback(error)).catch(() => {});
}
