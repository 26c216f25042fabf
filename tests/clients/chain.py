"""The chain under test, which `idbridge-chain` starts: its addresses and keys, its doors, and channels to it."""

import json
import os
import subprocess
import unittest
import urllib.request

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from idbridge.v1 import identity_pb2_grpc

ADDRESS = os.environ["IDBRIDGE_GRPC"]
KEY = os.environ["IDBRIDGE_KEY"]
BULK_KEY = os.environ["IDBRIDGE_BULK_KEY"]
READER_KEY = os.environ["IDBRIDGE_READER_KEY"]
ADA = ("ada@example.com", "correct horse battery staple")


def door(path, **order):
    """Opens a door of tests/chain/src/doors.rs."""
    url = os.environ["OKTA_CONTROL_URL"] + path
    data = json.dumps(order).encode() if order else b""
    with urllib.request.urlopen(urllib.request.Request(url, data=data, method="POST"), timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def restart(**settings):
    door("/broker/stop")
    door("/broker/start", **settings)


def certificate(folder):
    """A certificate for the chain's address and its key, two files."""
    pem, key = f"{folder}/tls.crt", f"{folder}/tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1",
         # rustls takes no authority's own certificate for a server's.
         "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", key, "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


def metadata(key=KEY, request_id=None):
    pairs = [("authorization", f"Bearer {key}")] if key else []
    return pairs + ([("x-request-id", request_id)] if request_id else [])


def details(error):
    """`(ErrorInfo, RetryInfo or None)` of a failed call."""
    status = rpc_status.from_call(error)
    assert status is not None, f"{error.code()} without details: {error.details()}"
    info, retry = error_details_pb2.ErrorInfo(), None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
    return info, retry


class ChainTest(unittest.TestCase):
    """A channel of its own for each test, and a chain that is well again after it."""

    def setUp(self):
        self.addCleanup(door, "/okta/clear")
        self.channel = self.open(grpc.insecure_channel(ADDRESS))
        self.stub = identity_pb2_grpc.IdentityServiceStub(self.channel)

    def open(self, channel):
        self.addCleanup(channel.close)
        # After a restart a fresh channel may still be told that nobody listens: it waits for the connection instead.
        grpc.channel_ready_future(channel).result(timeout=10)
        return channel

    def assert_fails(self, call, code, reason):
        """Runs `call`, which must fail so; returns its ErrorInfo and RetryInfo."""
        with self.assertRaises(grpc.RpcError) as failed:
            call()
        error = failed.exception
        self.assertEqual(error.code(), code, error.details())
        info, retry = details(error)
        self.assertEqual((info.domain, info.reason), ("idbridge", reason))
        self.assertRegex(info.metadata["request_id"], r"^[A-Za-z0-9._-]{1,64}$")
        if code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
            self.assertTrue(1 <= retry.retry_delay.seconds <= 60 and retry.retry_delay.nanos == 0, retry)
        else:
            self.assertIsNone(retry)
        return info
