// The error classes that Auth0 puts among a script's globals: names, arguments and fields as published [SDK], [DOC].

export class WrongUsernameOrPasswordError extends Error {
  constructor(userId, message) {
    super(message);
    Object.assign(this, { name: 'WrongUsernameOrPasswordError', code: 'wrongusernameorpassword', user_id: userId });
    this.statusCode = 400; // does not cross the boundary
  }
}

export class ValidationError extends Error {
  constructor(code, message) {
    super(message);
    Object.assign(this, { name: 'ValidationError', code, description: message, statusCode: 400 });
  }
}

export class UnauthorizedError extends Error {
  constructor(message) {
    super(message);
    Object.assign(this, { name: 'UnauthorizedError', code: 'unauthorized', description: message, statusCode: 401 });
  }
}
