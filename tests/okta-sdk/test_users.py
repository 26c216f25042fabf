"""Okta's Python client reads users: if it can't read an answer, the simulator is wrong."""

import os
import unittest

from okta.client import Client
from okta.pagination import PaginationHelper

DEMO = os.environ["OKTA_SIMULATOR_URL"]
STRICT = os.environ["OKTA_STRICT_URL"]
# The client's own switch for orgs without TLS; it reads it from the environment or a file only.
os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"
TOKEN = "00demoApiTokenOfTheSimulatedOktaOrg0000001"


def client(url=DEMO, token=TOKEN, retries=0):
    return Client(
        {
            "orgUrl": url,
            "token": token,
            "rateLimit": {"maxRetries": retries},
        }
    )


class Users(unittest.IsolatedAsyncioTestCase):
    async def test_a_user_is_read_by_login_and_by_id(self):
        user, _, error = await client().get_user("ada@example.com")
        self.assertIsNone(error)
        self.assertEqual((user.status, user.profile.email), ("ACTIVE", "ada@example.com"))
        again, _, error = await client().get_user(user.id)
        self.assertIsNone(error)
        self.assertEqual(again.profile.login, "ada@example.com")

    async def test_statuses_providers_and_missing_names_arrive_as_they_are(self):
        for login, status, provider in [
            ("dan@example.com", "DEPROVISIONED", "OKTA"),
            ("sam@example.com", "SUSPENDED", "OKTA"),
            ("eve@example.com", "PASSWORD_EXPIRED", "OKTA"),
            ("lena@example.com", "ACTIVE", "LDAP"),
            ("sofia@example.com", "ACTIVE", "SOCIAL"),
        ]:
            user, _, error = await client().get_user(login)
            self.assertIsNone(error, login)
            self.assertEqual((user.status, user.credentials.provider.type), (status, provider), login)
        norma, _, error = await client().get_user("norma@example.com")
        self.assertIsNone(error)
        self.assertIsNone(norma.profile.first_name)

    async def test_an_unknown_user_is_404(self):
        user, response, error = await client().get_user("nobody@example.com")
        self.assertIsNone(user)
        self.assertEqual((error.status, error.error_code), (404, "E0000007"))

    async def test_a_bad_token_is_401(self):
        _, _, error = await client(token="nonsense").get_user("me")
        self.assertEqual((error.status, error.error_code), (401, "E0000011"))

    async def test_search_finds_both_who_share_an_address(self):
        users, _, error = await client().list_users(search='profile.email eq "TWINS@example.com"')
        self.assertIsNone(error)
        self.assertEqual(sorted(user.profile.login for user in users), ["tina@example.com", "toni@example.com"])

    async def test_pages_are_followed_to_the_end(self):
        whole, _, error = await client().list_users()
        self.assertIsNone(error)
        users, response, error = await client().list_users(limit=5)
        self.assertIsNone(error)
        paged = list(users)
        for _ in range(len(whole)):
            after = PaginationHelper.extract_next_cursor(response.headers)
            if after is None:
                break
            users, response, error = await client().list_users(limit=5, after=after)
            self.assertIsNone(error)
            paged.extend(users)
        self.assertEqual([user.id for user in paged], [user.id for user in whole])

    async def test_factors_and_groups_are_read(self):
        mia, _, _ = await client().get_user("mia@example.com")
        factors, _, error = await client().list_factors(mia.id)
        self.assertIsNone(error)
        kinds = [(factor.factor_type, factor.status) for factor in factors]
        self.assertEqual(kinds, [("sms", "ACTIVE"), ("push", "ACTIVE")])
        groups, _, error = await client().list_user_groups("ada@example.com")
        self.assertIsNone(error)
        self.assertEqual([group.type for group in groups], ["BUILT_IN", "OKTA_GROUP"])

    async def test_a_429_is_understood_and_asked_again(self):
        user, _, error = await client(STRICT, retries=1).get_user("bob@example.com")
        self.assertIsNone(error)
        self.assertEqual(user.profile.login, "bob@example.com")

    async def test_a_concurrency_429_is_an_error_for_a_client_that_does_not_wait(self):
        _, _, error = await client(STRICT).list_users()
        self.assertIsNotNone(error)
        self.assertIn("429", f"{getattr(error, 'status', '')} {error}")


if __name__ == "__main__":
    unittest.main()
