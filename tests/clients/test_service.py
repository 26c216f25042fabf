"""The service as operators and libraries meet it: health, reflection, limits, load, TLS, a stop."""

import tempfile
import threading
import time

import grpc
from chain import ADA, ADDRESS, BULK_KEY, KEY, ChainTest, certificate, details, door, metadata, restart
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from idbridge.v1 import identity_pb2 as pb
from idbridge.v1 import identity_pb2_grpc

Code = grpc.StatusCode
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "idbridge.v1.IdentityService"


class Health(ChainTest):
    def setUp(self):
        super().setUp()
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def becomes(self, service, status):
        """Waits for the news: a source's health is that of its last call or probe."""
        for news in self.health.Watch(health_pb2.HealthCheckRequest(service=service), timeout=10):
            if news.status == status:
                return

    def test_the_broker_and_each_source(self):
        for service in ["", SERVICE]:
            self.becomes(service, SERVING)
        for source in ["source/okta", "source/people"]:
            self.becomes(source, SERVING)
        with self.assertRaises(grpc.RpcError) as failed:
            self.health.Check(health_pb2.HealthCheckRequest(service="source/nobody"), timeout=10)
        self.assertEqual(failed.exception.code(), Code.NOT_FOUND)

    def test_a_source_that_fails_is_told_and_the_broker_serves_on(self):
        self.becomes("source/okta", SERVING)
        door("/okta/fault", endpoint="any", fault="status:503")
        call = lambda: self.stub.GetUserByEmail(  # noqa: E731
            pb.GetUserByEmailRequest(email=ADA[0]), metadata=metadata(), timeout=10
        )
        self.assert_fails(call, Code.UNAVAILABLE, "SOURCE_UNAVAILABLE")
        self.becomes("source/okta", NOT_SERVING)
        self.assertEqual(self.health.Check(health_pb2.HealthCheckRequest(service=""), timeout=10).status, SERVING)
        door("/okta/clear")
        call()
        self.becomes("source/okta", SERVING)


class Reflection(ChainTest):
    def services(self, channel):
        # The messages of v1 and v1alpha are the same on the wire; grpcio has classes for v1alpha only.
        call = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        (answer,) = call(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10)
        return [service.name for service in answer.list_services_response.service]

    def test_off_unless_set(self):
        self.assert_fails(lambda: self.services(self.channel), Code.UNIMPLEMENTED, "UNKNOWN_METHOD")
        self.addCleanup(restart)
        restart(IDBRIDGE_GRPC__REFLECTION="true")
        channel = self.open(grpc.insecure_channel(ADDRESS))
        self.assertLessEqual({SERVICE, "grpc.health.v1.Health"}, set(self.services(channel)))


class Limits(ChainTest):
    def look_up(self, key, timeout=60):
        request = pb.GetUserByEmailRequest(email=ADA[0])
        return self.stub.GetUserByEmail.future(request, metadata=metadata(key), timeout=timeout)

    def test_two_thousand_calls_on_one_channel(self):
        calls = [self.look_up(BULK_KEY) for _ in range(2000)]
        self.assertEqual({call.result().user.email for call in calls}, {ADA[0]})

    def test_a_callers_hundred_and_first_call_is_shed_at_once(self):
        door("/okta/hold", endpoint="user")
        calls = [self.look_up(KEY) for _ in range(150)]
        shed = threading.Semaphore(0)
        for call in calls:
            call.add_done_callback(lambda _: shed.release())
        for _ in range(50):
            self.assertTrue(shed.acquire(timeout=10), "shed while the others wait")
        door("/okta/clear")
        failed = [call.exception() for call in calls if call.exception()]
        self.assertEqual(len(failed), 50)
        for error in failed:
            self.assertEqual(error.code(), Code.RESOURCE_EXHAUSTED)
            self.assertEqual(details(error)[0].reason, "CALLER_THROTTLED")

    def test_the_brokers_own_deadline(self):
        self.addCleanup(restart)
        restart(IDBRIDGE_GRPC__MAX_DEADLINE="300ms")
        door("/okta/fault", endpoint="any", fault="hang")
        self.stub = identity_pb2_grpc.IdentityServiceStub(self.open(grpc.insecure_channel(ADDRESS)))
        for timeout in [None, 60]:
            call = self.look_up(BULK_KEY, timeout)
            self.assert_fails(call.result, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


class Tls(ChainTest):
    def test_a_certificate_from_files(self):
        with tempfile.TemporaryDirectory() as folder:
            pem, key = certificate(folder)
            self.addCleanup(restart)
            restart(IDBRIDGE_GRPC__TLS__CERT_FILE=pem, IDBRIDGE_GRPC__TLS__KEY_FILE=key)
            with open(pem, "rb") as file:
                trust = grpc.ssl_channel_credentials(file.read())
        stub = identity_pb2_grpc.IdentityServiceStub(self.open(grpc.secure_channel(ADDRESS, trust)))
        request = pb.AuthenticateRequest(login=ADA[0], password=ADA[1])
        self.assertEqual(stub.Authenticate(request, metadata=metadata(), timeout=10).user.email, ADA[0])
        with self.assertRaises(grpc.RpcError) as failed:
            self.stub.Authenticate(request, metadata=metadata(), timeout=10)
        self.assertEqual(failed.exception.code(), Code.UNAVAILABLE, "plain text is not served")


class Stop(ChainTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(door, "/broker/start")

    def log_in(self):
        request = pb.AuthenticateRequest(login=ADA[0], password=ADA[1])
        return self.stub.Authenticate.future(request, metadata=metadata(BULK_KEY), timeout=60)

    def test_calls_in_flight_are_finished_and_new_ones_refused(self):
        # While the source knows nothing of the org's limit, it sends a few requests at a time.
        self.assertEqual(self.log_in().result().user.email, ADA[0])
        before = door("/okta/received-at", endpoint="authn")["count"]
        door("/okta/hold", endpoint="authn")
        calls = [self.log_in() for _ in range(100)]
        door("/okta/arrived", endpoint="authn", count=before + 100)
        health = health_pb2_grpc.HealthStub(self.channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
        self.assertEqual(next(health).status, SERVING)
        stopping = Background(lambda: door("/broker/stop"))
        self.assertEqual(next(health).status, NOT_SERVING)
        health.cancel()
        with self.assertRaises(grpc.RpcError) as refused:
            for _ in range(1000):  # until the client hears that no new call is taken, which is a moment later
                self.stub.GetUserByEmail(pb.GetUserByEmailRequest(email=ADA[0]), metadata=metadata(), timeout=10)
        self.assertEqual(refused.exception.code(), Code.UNAVAILABLE)
        self.assertFalse(any(call.done() for call in calls))
        door("/okta/clear")
        self.assertEqual({call.result().user.email for call in calls}, {ADA[0]})
        self.assertEqual(stopping.result(), {"code": 0})

    def test_a_health_watch_sees_the_stop_and_does_not_hold_it_up(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        watches = [
            health.Watch(health_pb2.HealthCheckRequest(service=service), timeout=30)
            for service in ["", SERVICE, "source/okta"]
        ]
        for watch in watches:
            next(watch)
        began = time.monotonic()
        self.assertEqual(door("/broker/stop"), {"code": 0})
        self.assertLess(time.monotonic() - began, 15)  # a drain that waits for them takes 30 s
        for watch in watches[:2]:
            self.assertEqual(next(watch).status, NOT_SERVING)

    def test_under_load_no_call_fails_before_the_stop(self):
        """Twenty callers go on until they are refused; all that began before the stop was asked for is answered."""
        asked, failed, done = threading.Event(), [], threading.Semaphore(0)
        begin = threading.Lock()

        def caller():
            while True:
                with begin:
                    begun_before, call = not asked.is_set(), self.log_in()
                try:
                    call.result()
                    done.release()
                except grpc.RpcError as error:
                    if begun_before or error.code() != Code.UNAVAILABLE:
                        failed.append(error)
                    return

        callers = [Background(caller) for _ in range(20)]
        for _ in range(500):
            self.assertTrue(done.acquire(timeout=30))
        with begin:
            asked.set()
        self.assertEqual(door("/broker/stop"), {"code": 0})
        for each in callers:
            each.result()
        self.assertEqual(failed, [])


class Background:
    """Work in a thread of its own."""

    def __init__(self, work):
        self.outcome = None
        self.thread = threading.Thread(target=lambda: setattr(self, "outcome", work()), daemon=True)
        self.thread.start()

    def result(self):
        self.thread.join(timeout=60)
        assert not self.thread.is_alive(), "it hangs"
        return self.outcome
