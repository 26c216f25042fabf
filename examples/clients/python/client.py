"""A caller of idbridge, with grpcio: yes, no and "I don't know" told apart.

    IDBRIDGE_KEY=… client.py [--ca FILE] HOST:PORT log-in LOGIN     (the password on standard input)
    IDBRIDGE_KEY=… client.py [--ca FILE] HOST:PORT look-up EMAIL

Exit codes: 0 yes, 1 no, 2 bad usage, 3 don't know. What it needs, and how the stubs are made: ../README.md.
"""

import argparse
import os
import re
import sys
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from idbridge.v1 import identity_pb2 as pb
from idbridge.v1 import identity_pb2_grpc

DEADLINE = 10  # seconds


def open_channel(address, ca):
    if ca is None:
        return grpc.insecure_channel(address)
    with open(ca, "rb") as file:
        # For a certificate of a public authority: no argument.
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))


def ask(call, question, key, request_id):
    """`("yes", user)`, `("no", reason)`, or `("don't know", reason, seconds to wait or None)`."""
    metadata = [("authorization", f"Bearer {key}"), ("x-request-id", request_id)]
    try:
        answer = call(question, metadata=metadata, timeout=DEADLINE)
    except grpc.RpcError as error:
        return failed(error)
    match answer.WhichOneof("outcome"):
        case "user":
            return "yes", answer.user
        case "rejection":
            names = pb.RejectionReason.DESCRIPTOR.values_by_number
            value = names.get(answer.rejection.reason)
            if value is not None and value.number != pb.REJECTION_REASON_UNSPECIFIED:
                return "no", value.name.removeprefix("REJECTION_REASON_").lower()
    # What a later version says, or nothing at all, is no answer.
    return "don't know", "an answer that this program doesn't know", None


def failed(error):
    reason, wait = error.code().name, None
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == "idbridge":
            reason = info.reason
        elif detail.Unpack(retry):
            wait = retry.retry_delay.seconds
    # Any proxy says NOT_FOUND; with this reason it is the source's word.
    if error.code() == grpc.StatusCode.NOT_FOUND and reason == "USER_NOT_FOUND":
        return "no", "user_not_found"
    return "don't know", reason, wait


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", metavar="FILE", help="the authority of the broker's certificate; without it: no TLS")
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("command", choices=["log-in", "look-up"])
    parser.add_argument("identifier")
    args = parser.parse_args()
    key = os.environ.get("IDBRIDGE_KEY", "")
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        parser.error("IDBRIDGE_KEY is not set, or is no key")
    request_id = uuid.uuid4().hex  # joins this call to the broker's records

    with open_channel(args.address, args.ca) as channel:
        stub = identity_pb2_grpc.IdentityServiceStub(channel)
        if args.command == "log-in":
            # A password is counted at the source: never repeat this call yourself.
            password = sys.stdin.read().removesuffix("\n")
            outcome = ask(stub.Authenticate, pb.AuthenticateRequest(login=args.identifier, password=password), key, request_id)
        else:
            outcome = ask(stub.GetUserByEmail, pb.GetUserByEmailRequest(email=args.identifier), key, request_id)

    match outcome:
        case "yes", user:
            code, line = 0, f"yes: {user.id} {user.email}"
        case "no", reason:
            code, line = 1, f"no: {reason}"
        case _, reason, None:
            code, line = 3, f"don't know: {reason}"
        case _, reason, wait:
            code, line = 3, f"don't know: {reason}, ask again in {wait} s"
    print(f"{line} (request {request_id})")
    sys.exit(code)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Python's own exit code for this is 1, which would be a no.
        print(error, file=sys.stderr)
        sys.exit(2)
