// What crosses from the script's container to Auth0: JSON, and of an error a few fields only.

const KEPT = ['code', 'description', 'message', 'name', 'stack', 'status_code', 'user_id']; // [SDK]

export const boundary = {
  call(error, result) {
    if (error) return { error: boundary.error(error), result: undefined };
    return { error: null, result: result === undefined || result === null ? null : throughJson(result) };
  },

  // Errors are known by name and code, never by class: they come from another realm.
  error(error) {
    if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) };
    const kept = { name: 'Error' };
    for (const field of KEPT) {
      if (error[field] !== undefined) kept[field] = error[field];
    }
    return throughJson(kept);
  },
};

function throughJson(value) {
  const text = JSON.stringify(value); // undefined and functions vanish, a Date becomes text, NaN null
  return text === undefined ? null : JSON.parse(text);
}
