"""The gRPC C core as a peer: serves echo.Echo, or holds every conversation with a server of it.

    grpcio_peer.py server                        prints `listening on ADDR` and serves
    grpcio_peer.py client ADDR [--require-gzip]  talks to a server, prints `N passed, 0 failed`; the exit code says it too

What the service does is said in tests/support/proto/echo.proto. The one message has one field, so it is encoded here
by hand and no code is generated. Compressed calls to a server that refuses gzip are told and not counted, unless
--require-gzip makes them failures.
"""

import os
import queue
import sys
import threading
import time
from concurrent import futures

import grpc

STREAM_MESSAGES = 100
STATUS_MESSAGE = "as asked: 100 % é"
SIZES = [0, 1, 1000, 70_000, 1 << 20]
LIMIT = 30  # seconds for one conversation; a stall is a failure
AT_ONCE = 64
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.absolute_max_metadata_size", 64 * 1024),
    ("grpc.enable_http_proxy", 0),
]


def encode(data):
    """`data` as an echo.Msg: field 1, octets; an empty field is left out."""
    if not data:
        return b""
    length = len(data)
    head = bytearray([0x0A])
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def decode(message):
    """The octets of an echo.Msg."""
    if not message:
        return b""
    if message[0] != 0x0A:
        raise ValueError("not an echo.Msg")
    length = shift = 0
    for index in range(1, len(message)):
        length |= (message[index] & 0x7F) << shift
        shift += 7
        if message[index] < 0x80:
            if len(message) - index - 1 != length:
                raise ValueError("not an echo.Msg")
            return message[index + 1 :]
    raise ValueError("not an echo.Msg")


# The server.


def obey(context):
    """Does what the request metadata asks for, before any message is sent."""
    metadata = context.invocation_metadata()
    for key, value in metadata:
        if key == "x-status":
            code = next(code for code in grpc.StatusCode if code.value[0] == int(value))
            context.abort(code, STATUS_MESSAGE)
    context.send_initial_metadata([(key, value) for key, value in metadata if key.startswith("x-echo")])


def unary(data, context):
    delay = dict(context.invocation_metadata()).get("x-delay-ms")
    if delay is not None:
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(int(delay) / 1000)
    obey(context)
    return data


def server_stream(data, context):
    obey(context)
    for _ in range(STREAM_MESSAGES):
        yield data


def client_stream(messages, context):
    joined = b"".join(messages)
    obey(context)
    return joined


def bidi(messages, context):
    obey(context)
    yield from messages


def serve():
    codec = {"request_deserializer": decode, "response_serializer": encode}
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, **codec),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream, **codec),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream, **codec),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi, **codec),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=128), options=OPTIONS)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    if os.environ.get("PEER_ENDS_WITH_STDIN"):
        sys.stdin.buffer.read()
        os._exit(0)
    server.wait_for_termination()


# The client.


def pattern(size):
    """Octets that tell when any are lost, doubled or moved."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def ensure(holds, else_what):
    if not holds:
        raise AssertionError(else_what)


def refusal(call):
    """The error of a call that must not succeed."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


class Questions:
    """Messages to send, one whenever the conversation has one."""

    def __init__(self):
        self.queue = queue.SimpleQueue()
        self.ask = self.queue.put

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


class Client:
    def __init__(self, channel, **call_options):
        codec = {"request_serializer": encode, "response_deserializer": decode}
        self.unary = channel.unary_unary("/echo.Echo/Unary", **codec)
        self.missing = channel.unary_unary("/echo.Echo/Missing", **codec)
        self.server_stream = channel.unary_stream("/echo.Echo/ServerStream", **codec)
        self.client_stream = channel.stream_unary("/echo.Echo/ClientStream", **codec)
        self.bidi = channel.stream_stream("/echo.Echo/Bidi", **codec)
        self.options = {"timeout": LIMIT, "wait_for_ready": True, **call_options}

    def hold_unary(self, size):
        ensure(self.unary(pattern(size), **self.options) == pattern(size), "another message came back")

    def hold_server_stream(self, size):
        data = pattern(size)
        answers = list(self.server_stream(data, **self.options))
        ensure(answers == [data] * STREAM_MESSAGES, f"other messages came back, {len(answers)} of them")

    def hold_client_stream(self, size):
        data = pattern(size)
        ensure(self.client_stream(iter([data] * 3), **self.options) == data * 3, "the joined message is another")

    def hold_bidi(self, size):
        data, questions = pattern(size), Questions()
        answers = self.bidi(iter(questions), **self.options)
        for turn in range(5):
            questions.ask(data)
            ensure(next(answers) == data, f"answer {turn} is another")
        questions.end()
        ensure(next(answers, None) is None, "too many answers")

    def hold_many_at_once(self):
        sizes = [index * 1000 for index in range(AT_ONCE)]
        calls = [self.unary.future(pattern(size), **self.options) for size in sizes]
        for size, call in zip(sizes, calls):
            ensure(call.result() == pattern(size), f"another message came back, of {size}")

    def hold_metadata(self):
        sent = [("x-echo", "0123456789abcdef" * 512), ("x-echo-bin", pattern(256))]
        answer, call = self.unary.with_call(pattern(10), metadata=sent, **self.options)
        ensure(answer == pattern(10), "another message came back")
        received = [(key, value) for key, value in call.initial_metadata() if key.startswith("x-echo")]
        ensure(sorted(received) == sent, "other metadata came back")

    def hold_status(self):
        metadata = [("x-status", str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]))]
        error = refusal(lambda: self.unary(pattern(10), metadata=metadata, **self.options))
        got = (error.code(), error.details())
        ensure(got == (grpc.StatusCode.RESOURCE_EXHAUSTED, STATUS_MESSAGE), f"not the status asked for: {got}")

    def hold_unknown_method(self):
        error = refusal(lambda: self.missing(b"", **self.options))
        ensure(error.code() == grpc.StatusCode.UNIMPLEMENTED, f"not unimplemented: {error}")

    def hold_deadline(self):
        begun = time.monotonic()
        options = {**self.options, "timeout": 0.2, "metadata": [("x-delay-ms", "10000")]}
        error = refusal(lambda: self.unary(pattern(10), **options))
        ensure(error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, f"not the deadline: {error}")
        ensure(time.monotonic() - begun < 5, "the deadline came too late")

    def hold_cancelled_unary(self):
        call = self.unary.future(pattern(10), metadata=[("x-delay-ms", "10000")], **self.options)
        time.sleep(0.1)
        ensure(call.cancel() and call.cancelled(), "the slow call was not slow")
        self.hold_unary(1000)

    def hold_cancelled_bidi(self, size):
        questions = Questions()
        answers = self.bidi(iter(questions), **self.options)
        questions.ask(pattern(size))
        ensure(next(answers) == pattern(size), "another message came back")
        questions.ask(pattern(size))
        answers.cancel()
        questions.end()
        ensure(answers.code() == grpc.StatusCode.CANCELLED, f"not cancelled: {answers.code()}")
        self.hold_unary(size)

    def hold_cancelled_server_stream(self, size):
        answers = self.server_stream(pattern(size), **self.options)
        for _ in range(3):
            ensure(next(answers) == pattern(size), "another message came back")
        answers.cancel()
        self.hold_unary(size)


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def hold(self, name, talk, *arguments):
        try:
            talk(*arguments)
            self.passed += 1
        except Exception as error:
            self.failed += 1
            print(f"failed: {name}: {error!r}", flush=True)

    def hold_sizes(self, name, talk):
        for size in SIZES:
            self.hold(f"{name}, {size}", talk, size)


def allows_gzip(client):
    try:
        client.unary(pattern(1000), **client.options)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNIMPLEMENTED:
            return False
    return True


def talk(address, require_gzip):
    tally = Tally()
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        client = Client(channel)
        tally.hold_sizes("unary", client.hold_unary)
        tally.hold_sizes("server stream", client.hold_server_stream)
        tally.hold_sizes("client stream", client.hold_client_stream)
        tally.hold_sizes("bidi", client.hold_bidi)
        tally.hold("unary, many at once", client.hold_many_at_once)
        tally.hold("metadata", client.hold_metadata)
        tally.hold("status", client.hold_status)
        tally.hold("unknown method", client.hold_unknown_method)
        tally.hold("deadline", client.hold_deadline)
        tally.hold("cancelled unary", client.hold_cancelled_unary)
        tally.hold_sizes("cancelled bidi", client.hold_cancelled_bidi)
        tally.hold_sizes("cancelled server stream", client.hold_cancelled_server_stream)
        compressed = Client(channel, compression=grpc.Compression.Gzip)
        if require_gzip or allows_gzip(compressed):
            tally.hold_sizes("gzip unary", compressed.hold_unary)
            tally.hold_sizes("gzip bidi", compressed.hold_bidi)
        else:
            print("not counted: gzip, which the server refuses")
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    # Not by `sys.exit`: a stalled conversation may have left a thread that waits for ever.
    os._exit(0 if tally.passed and not tally.failed else 1)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server"]:
            serve()
        case ["client", address]:
            talk(address, require_gzip=False)
        case ["client", address, "--require-gzip"]:
            talk(address, require_gzip=True)
        case _:
            sys.exit(__doc__)
