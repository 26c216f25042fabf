"""The people of __NAME__: the part to replace. It answers two questions, and says so when it can't.

Here they stand in a file, `people.toml`, as `idbridge plugin people` writes one.
"""

import hmac
import tomllib
import unicodedata
from dataclasses import dataclass, field
from enum import Enum


class Rejection(Enum):
    """A no, in the words of idbridge.v1.RejectionReason."""

    ACCOUNT_DISABLED = 1
    ACCOUNT_INACTIVE = 2
    ACCOUNT_LOCKED = 3
    DENIED_BY_POLICY = 4
    INVALID_CREDENTIALS = 5
    NO_PASSWORD = 6
    PASSWORD_EXPIRED = 7
    SECOND_FACTOR_REQUIRED = 8
    UNKNOWN_USER = 9
    WRONG_PASSWORD = 10


class CouldNotFindOut(Exception):
    """Neither yes nor no. Raise it whenever the answer isn't known: an outage is never a no."""

    def __init__(self, reason, wait=None):
        super().__init__(reason)
        self.reason = reason  # a key of STATUSES in plugin.py
        self.wait = wait  # seconds, where the upstream has said so


@dataclass(frozen=True)
class User:
    id: str  # stable for ever: no login and no address, which change hands
    login: str
    email: str
    email_verified: bool | None = None  # None: not known. Never True without evidence
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    groups: list[str] = field(default_factory=list)
    second_factor: bool = False
    password_expired: bool = False


STATUSES = {
    "active": None,
    "denied": Rejection.DENIED_BY_POLICY,
    "disabled": Rejection.ACCOUNT_DISABLED,
    "inactive": Rejection.ACCOUNT_INACTIVE,
    "locked": Rejection.ACCOUNT_LOCKED,
    "no_password": Rejection.NO_PASSWORD,
}


class People:
    def __init__(self, path):
        with open(path, "rb") as file:
            self._people = tomllib.load(file)["people"]

    def check_password(self, login, password):
        """A User, or a Rejection. The password is tried once, whatever fails."""
        person = next((one for one in self._people if same(one["login"], login)), None)
        if person is None:
            return Rejection.UNKNOWN_USER
        if "password" not in person:
            return Rejection.NO_PASSWORD
        if not hmac.compare_digest(person["password"].encode(), password.encode()):
            return Rejection.WRONG_PASSWORD
        if person.get("password_expired"):
            return Rejection.PASSWORD_EXPIRED
        return admitted(person)

    def find_by_email(self, email):
        """A User, None for nobody, or a Rejection for somebody who may not come in. The address is the e-mail's: a login
        that looks like it proves nothing."""
        found = [one for one in self._people if same(one["email"], email)]
        if len(found) > 1:
            raise CouldNotFindOut("AMBIGUOUS_USER")
        if not found:
            return None
        return admitted(found[0])


def admitted(person):
    """The same at log-ins and look-ups: who may not log in may not come in by a password reset either."""
    refused = STATUSES[person.get("status", "active")]
    if refused is None and person.get("second_factor"):
        refused = Rejection.SECOND_FACTOR_REQUIRED
    return refused or user_of(person)


def same(one, other):
    """As idbridge compares identifiers: the same letters however they are composed (NFC), ASCII in either case."""
    return folded(one) == folded(other)


def folded(text):
    composed = unicodedata.normalize("NFC", text)
    return "".join(c.lower() if c.isascii() else c for c in composed)


def user_of(person):
    known = {key: person[key] for key in User.__dataclass_fields__ if key in person}
    return User(**known)
