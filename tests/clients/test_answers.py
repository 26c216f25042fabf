"""What a caller with grpcio and generated stubs gets for an answer."""

import unittest

import grpc
from chain import ADA, KEY, READER_KEY, ChainTest, door, metadata
from google.protobuf.json_format import MessageToDict
from idbridge.v1 import identity_pb2 as pb

Code = grpc.StatusCode
LOGIN, PASSWORD = ADA


class Answers(ChainTest):
    def authenticate(self, login=LOGIN, password=PASSWORD, key=KEY, source=None):
        request = pb.AuthenticateRequest(login=login, password=password, source=source)
        return self.stub.Authenticate(request, metadata=metadata(key), timeout=10)

    def look_up(self, email=LOGIN, key=KEY, source=None, request_id=None):
        request = pb.GetUserByEmailRequest(email=email, source=source)
        return self.stub.GetUserByEmail(request, metadata=metadata(key, request_id), timeout=10)

    def test_yes(self):
        answer = self.authenticate()
        self.assertEqual((answer.WhichOneof("outcome"), answer.source), ("user", "okta"))
        self.assertRegex(answer.user.id, r"^okta\|00u")
        self.assertEqual((answer.user.email, answer.user.given_name), (LOGIN, "Ada"))
        self.assertIs(answer.user.email_verified, True)
        self.assertFalse(answer.user.HasField("nickname"), "nothing is invented")

    def test_both_calls_tell_the_same_user(self):
        self.assertEqual(MessageToDict(self.authenticate().user), MessageToDict(self.look_up().user))

    def test_no_and_why(self):
        for login, password, source, reason in [
            ("bob@example.com", "not it", None, "INVALID_CREDENTIALS"),
            ("nobody@example.com", "not it", None, "INVALID_CREDENTIALS"),
            ("expired@example.com", "expired long ago", None, "PASSWORD_EXPIRED"),
            ("mfa@example.com", "and a second factor", None, "SECOND_FACTOR_REQUIRED"),
            ("mem@example.com", "not it", "people", "WRONG_PASSWORD"),
            ("nobody@example.com", "not it", "people", "UNKNOWN_USER"),
        ]:
            with self.subTest(login=login, source=source):
                answer = self.authenticate(login, password, source=source)
                self.assertEqual(answer.WhichOneof("outcome"), "rejection")
                self.assertEqual(answer.rejection.reason, pb.RejectionReason.Value(f"REJECTION_REASON_{reason}"))
                self.assertEqual(answer.source, source or "okta")

    def test_a_look_up_finds_or_rejects(self):
        self.assertEqual(self.look_up("CAROL@example.com").user.login, "carol@corp.example.com")
        for email, reason in [
            ("sue@example.com", pb.REJECTION_REASON_ACCOUNT_DISABLED),
            ("locked@example.com", pb.REJECTION_REASON_ACCOUNT_LOCKED),
            ("fed@example.com", pb.REJECTION_REASON_NO_PASSWORD),
            ("mfa@example.com", pb.REJECTION_REASON_SECOND_FACTOR_REQUIRED),
        ]:
            with self.subTest(email=email):
                self.assertEqual(self.look_up(email).rejection.reason, reason)

    def test_not_found_is_said_by_the_source(self):
        call = lambda: self.look_up("nobody@example.com", request_id="a-request.1")  # noqa: E731
        info = self.assert_fails(call, Code.NOT_FOUND, "USER_NOT_FOUND")
        self.assertEqual(dict(info.metadata), {"request_id": "a-request.1", "source": "okta"})

    def test_the_request_id_is_on_every_answer(self):
        _, call = self.stub.GetUserByEmail.with_call(
            pb.GetUserByEmailRequest(email=LOGIN), metadata=metadata(request_id="a-request.2"), timeout=10
        )
        self.assertIn(("x-request-id", "a-request.2"), [tuple(pair) for pair in call.initial_metadata()])

    def test_a_named_source_is_asked_alone(self):
        self.assertEqual(self.authenticate("mem@example.com", "kept in the settings", source="people").user.id, "people|1")
        self.assert_fails(lambda: self.look_up(source="nobody"), Code.FAILED_PRECONDITION, "UNKNOWN_SOURCE")

    def test_callers(self):
        for key in [None, "wrong", KEY[:-1], KEY + "x"]:
            self.assert_fails(lambda key=key: self.authenticate(key=key), Code.UNAUTHENTICATED, "CALLER_UNAUTHENTICATED")
        self.assertEqual(self.look_up(key=READER_KEY).user.email, LOGIN)
        for call in [lambda: self.authenticate(key=READER_KEY), lambda: self.look_up(key=READER_KEY, source="people")]:
            self.assert_fails(call, Code.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")

    def test_what_does_not_parse(self):
        bad = Code.INVALID_ARGUMENT
        for password in ["", "a\0b", "x" * 1025]:
            self.assert_fails(lambda it=password: self.authenticate(password=it), bad, "INVALID_PASSWORD")
        for login in ["", "a\nb", "x" * 257]:
            self.assert_fails(lambda it=login: self.authenticate(it), bad, "INVALID_IDENTIFIER")
        for email in ["", "bob", "..", "a/b", "x" * 5000]:
            self.assert_fails(lambda it=email: self.look_up(it), bad, "INVALID_IDENTIFIER")
        self.assert_fails(lambda: self.authenticate(password="x" * 3_000_000), bad, "INVALID_REQUEST")

    def test_bytes_that_are_no_message(self):
        for data in [b"\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x0b" * 200]:
            self.assert_fails(lambda it=data: self.raw("Authenticate", it), Code.INVALID_ARGUMENT, "INVALID_REQUEST")
        self.assert_fails(lambda: self.raw("Nothing", b""), Code.UNIMPLEMENTED, "UNKNOWN_METHOD")

    def raw(self, method, data):
        call = self.channel.unary_unary(f"/idbridge.v1.IdentityService/{method}")
        return call(data, metadata=metadata(), timeout=10)

    def test_okta_fails(self):
        door("/okta/fault", endpoint="any", fault="status:503")
        self.assert_fails(self.authenticate, Code.UNAVAILABLE, "SOURCE_UNAVAILABLE")
        self.assert_fails(self.look_up, Code.UNAVAILABLE, "SOURCE_UNAVAILABLE")
        door("/okta/clear")
        door("/okta/fault", endpoint="any", fault="html")
        self.assert_fails(self.authenticate, Code.INTERNAL, "SOURCE_PROTOCOL")
        door("/okta/clear")
        door("/okta/fault", endpoint="any", fault="status:429")
        self.assert_fails(self.look_up, Code.RESOURCE_EXHAUSTED, "SOURCE_THROTTLED")
        door("/okta/clear")
        door("/okta/revoke-tokens")
        self.assert_fails(self.look_up, Code.INTERNAL, "SOURCE_CREDENTIAL_REFUSED")

    def test_two_users_of_one_address(self):
        self.assert_fails(lambda: self.look_up("twin@example.com"), Code.INTERNAL, "AMBIGUOUS_USER")

    def test_the_callers_deadline(self):
        door("/okta/fault", endpoint="any", fault="hang")
        with self.assertRaises(grpc.RpcError) as failed:
            self.stub.GetUserByEmail(pb.GetUserByEmailRequest(email=LOGIN), metadata=metadata(), timeout=0.5)
        self.assertEqual(failed.exception.code(), Code.DEADLINE_EXCEEDED)


if __name__ == "__main__":
    unittest.main()
