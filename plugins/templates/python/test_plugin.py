"""What idbridge will ask, over a real connection. `python -m unittest`"""

import unittest

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from idbridge.v1 import identity_pb2 as pb
from idbridge.v1 import identity_pb2_grpc

from people import CouldNotFindOut, People
from plugin import serve

KEY = "a key of the tests"


class Ill:
    """Nobody can find out anything."""

    def __init__(self, problem):
        self._problem = problem

    def check_password(self, login, password):
        raise self._problem

    find_by_email = lambda self, email: self.check_password(email, None)


class Case(unittest.TestCase):
    def started(self, people):
        server, port = serve(people, KEY, "127.0.0.1:0")
        self.addCleanup(lambda: server.stop(grace=None).wait())
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.addCleanup(channel.close)
        return identity_pb2_grpc.IdentityServiceStub(channel)

    def log_in(self, stub, login, password, key=KEY):
        return self.told(stub.Authenticate, pb.AuthenticateRequest(login=login, password=password), key)

    def look_up(self, stub, email, key=KEY):
        return self.told(stub.GetUserByEmail, pb.GetUserByEmailRequest(email=email), key)

    def told(self, call, request, key):
        try:
            answer = call(request, metadata=[("authorization", f"Bearer {key}")], timeout=5)
        except grpc.RpcError as error:
            info = error_details_pb2.ErrorInfo()
            details = rpc_status.from_call(error).details
            self.assertTrue(details[0].Unpack(info))
            self.assertEqual(info.domain, "idbridge")
            return f"{error.code().name} {info.reason}"
        if answer.WhichOneof("outcome") == "user":
            return f"user {answer.user.id}"
        return pb.RejectionReason.Name(answer.rejection.reason).removeprefix("REJECTION_REASON_")

    def test_answers(self):
        stub = self.started(People("people.toml"))
        for login, password, told in [
            ("ada@example.com", "a password of ada", "user p-1"),
            ("ADA@example.com", "a password of ada", "user p-1"),
            ("ada@example.com", "another", "WRONG_PASSWORD"),
            ("grace", "a password of grace", "user p-2"),
            ("sam@example.com", "a password of sam", "ACCOUNT_DISABLED"),
            ("sam@example.com", "another", "WRONG_PASSWORD"),
            ("nobody@example.com", "another", "UNKNOWN_USER"),
        ]:
            self.assertEqual(self.log_in(stub, login, password), told, login)
        for email, told in [
            ("ada@example.com", "user p-1"),
            ("grace.hopper@example.com", "user p-2"),
            ("sam@example.com", "ACCOUNT_DISABLED"),
            ("twins@example.com", "INTERNAL AMBIGUOUS_USER"),
            ("nobody@example.com", "NOT_FOUND USER_NOT_FOUND"),
            ("grace", "INVALID_ARGUMENT INVALID_IDENTIFIER"),
        ]:
            self.assertEqual(self.look_up(stub, email), told, email)

    def test_an_outage_is_no_no(self):
        for problem, told in [
            (CouldNotFindOut("SOURCE_UNAVAILABLE"), "UNAVAILABLE SOURCE_UNAVAILABLE"),
            (CouldNotFindOut("SOURCE_THROTTLED", 7), "RESOURCE_EXHAUSTED SOURCE_THROTTLED"),
            (KeyError("a bug"), "INTERNAL INTERNAL"),
        ]:
            stub = self.started(Ill(problem))
            self.assertEqual(self.log_in(stub, "ada@example.com", "a password of ada"), told)
            self.assertEqual(self.look_up(stub, "ada@example.com"), told)

    def test_the_key_is_asked_for(self):
        stub = self.started(People("people.toml"))
        for key in ("", "another"):
            told = self.log_in(stub, "ada@example.com", "a password of ada", key)
            self.assertEqual(told, "UNAUTHENTICATED CALLER_UNAUTHENTICATED")
            self.assertEqual(self.look_up(stub, "nobody@example.com", key), told)


if __name__ == "__main__":
    unittest.main()
