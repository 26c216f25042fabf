// Where the two simulated orgs are, and what opens them.

const from = (name) => process.env[name] ?? (() => { throw new Error(`${name} is not set: start this through ./run`); })();

export const demo = from('OKTA_SIMULATOR_URL');
export const strict = from('OKTA_STRICT_URL');
export const token = '00demoApiTokenOfTheSimulatedOktaOrg0000001';
export const password = 'correct horse battery staple';
