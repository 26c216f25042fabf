"""An identity source for idbridge: `kind = "grpc"`. What is asked of __NAME__ stands in people.py; this file is the wire.

    IDBRIDGE_PLUGIN_KEY=… plugin.py [--listen 127.0.0.1:50061] people.toml

Callers send the key as `authorization: Bearer KEY`. Beyond loopback, put TLS before it, or listen on unix:///PATH.
"""

import argparse
import hmac
import os
import signal
import sys
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from idbridge.v1 import identity_pb2 as pb
from idbridge.v1 import identity_pb2_grpc

from people import CouldNotFindOut, People, Rejection

# docs/errors.md of idbridge: the reason, and its status.
STATUSES = {
    "AMBIGUOUS_USER": grpc.StatusCode.INTERNAL,
    "CALLER_UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "INTERNAL": grpc.StatusCode.INTERNAL,
    "INVALID_IDENTIFIER": grpc.StatusCode.INVALID_ARGUMENT,
    "SOURCE_CREDENTIAL_REFUSED": grpc.StatusCode.INTERNAL,
    "SOURCE_PROTOCOL": grpc.StatusCode.INTERNAL,
    "SOURCE_THROTTLED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SOURCE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "USER_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
}
WAITS = ("SOURCE_THROTTLED", "SOURCE_UNAVAILABLE")


class Plugin(identity_pb2_grpc.IdentityServiceServicer):
    def __init__(self, people, key):
        self._people = people
        self._key = f"Bearer {key}".encode()

    def Authenticate(self, request, context):
        self._admit(context)
        answer = self._ask(context, self._people.check_password, request.login, request.password)
        if isinstance(answer, Rejection):
            return pb.AuthenticateResponse(rejection=pb.Rejection(reason=answer.value))
        return pb.AuthenticateResponse(user=message(answer))

    def GetUserByEmail(self, request, context):
        self._admit(context)
        if request.email.count("@") != 1:
            refuse(context, "INVALID_IDENTIFIER")
        answer = self._ask(context, self._people.find_by_email, request.email)
        if answer is None:
            refuse(context, "USER_NOT_FOUND")
        if isinstance(answer, Rejection):
            return pb.GetUserByEmailResponse(rejection=pb.Rejection(reason=answer.value))
        return pb.GetUserByEmailResponse(user=message(answer))

    def _admit(self, context):
        sent = dict(context.invocation_metadata()).get("authorization", "")
        if not hmac.compare_digest(sent.encode(), self._key):
            refuse(context, "CALLER_UNAUTHENTICATED")

    def _ask(self, context, question, *arguments):
        try:
            return question(*arguments)
        except CouldNotFindOut as problem:
            refuse(context, problem.reason, problem.wait)
        except Exception as bug:  # whatever it is, it is no no
            # The type alone: a message may quote what somebody typed.
            print(f"a bug: {type(bug).__name__}", file=sys.stderr)
            refuse(context, "INTERNAL")


def message(user):
    return pb.User(**{name: value for name, value in vars(user).items() if value is not None})


def refuse(context, reason, wait=None):
    """Ends the call. It never returns."""
    details = [error_details_pb2.ErrorInfo(reason=reason, domain="idbridge")]
    if reason in WAITS:
        seconds = min(max(wait or 1, 1), 60)
        details.append(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds)))
    status = status_pb2.Status(code=STATUSES[reason].value[0], message=reason)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    context.abort_with_status(rpc_status.to_status(status))


def serve(people, key, listen):
    """A running server, and the port that it got."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.max_receive_message_length", 65536)])
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(Plugin(people, key), server)
    port = server.add_insecure_port(listen)
    server.start()
    return server, port


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:50061", metavar="ADDRESS")
    parser.add_argument("people", metavar="people.toml")
    args = parser.parse_args()
    key = os.environ.get("IDBRIDGE_PLUGIN_KEY") or parser.error("IDBRIDGE_PLUGIN_KEY is not set")
    server, port = serve(People(args.people), key, args.listen)
    print(f"listening on port {port}", flush=True)
    # Calls in flight are finished.
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=30))
    server.wait_for_termination()


if __name__ == "__main__":
    main()
