"""The gRPC C core as a client of the soak (examples/soak): random calls, in rounds, on several paths.

    grpcio_soak.py CALLERS ADDR...

Each line of standard input is a task, and has one line in answer, `done ...` or `failed ...`:

    run SECONDS SEED    random calls on every path; answers with what became of them, separated by tabs:
                        `PATH KIND OUTCOME COUNT`, and for each error `PATH KIND error BEGUN ENDED WORDS`,
                        in milliseconds since the task came
    settle              waits until every path carries a call

PATH is the index of the address. It ends when standard input does.
"""

import collections
import random
import sys
import threading
import time

import grpc

from grpcio_peer import OPTIONS, STATUS_MESSAGE, STREAM_MESSAGES, Client, pattern

BOUND = 60  # seconds; no call may take longer
STARTS = 251
LARGEST = 4 << 20
PATTERN = pattern(LARGEST + STARTS)
KINDS = ["unary", "client-stream", "server-stream", "bidi", "status"]


class Wrong(Exception):
    """What came is not what was sent."""


def ensure(holds, else_what):
    if not holds:
        raise Wrong(else_what)


def draw_total(dice):
    mark = dice.random()
    if mark < 0.1:
        return 0
    top = 1_000 if mark < 0.6 else 64 << 10 if mark < 0.92 else 1 << 20 if mark < 0.99 else LARGEST
    return dice.randrange(1, top)


def call(client, kind, dice):
    """Makes one call; the outcome, if it is none that an exception tells."""
    mark = dice.random()
    cancels, has_deadline = mark < 0.1, 0.1 <= mark < 0.15 and kind != "status"
    options = {"timeout": dice.uniform(0.001, 0.2) if has_deadline else BOUND}
    metadata = []
    if kind == "status":
        metadata.append(("x-status", str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])))
    if kind == "unary" and has_deadline and dice.random() < 0.5:
        metadata.append(("x-delay-ms", "400"))
    count = {"server-stream": STREAM_MESSAGES, "unary": 1, "status": 1}.get(kind) or dice.randint(1, 20)
    size = draw_total(dice) // count
    start = dice.randrange(STARTS)
    if kind == "server-stream":
        parts = [PATTERN[start : start + size]] * count
    else:
        parts = [PATTERN[start + index * size :][:size] for index in range(count)]
    options["metadata"] = metadata
    answers = None
    try:
        if kind in ("unary", "status", "client-stream"):
            if kind == "client-stream":
                answers = client.client_stream.future(iter(parts), **options)
            else:
                answers = client.unary.future(parts[0], **options)
            if cancels:
                time.sleep(dice.uniform(0, 0.02))
                if answers.cancel():
                    return "cancelled"
            ensure(answers.result() == b"".join(parts), "another message came back")
            ensure(kind != "status", "a reply came where a status was asked for")
        else:
            if kind == "server-stream":
                answers = client.server_stream(parts[0], **options)
            else:
                answers = client.bidi(iter(parts), **options)
            stop = dice.randint(0, count) if cancels else None
            for index, part in enumerate(parts):
                if index == stop:
                    answers.cancel()
                    return "cancelled"
                ensure(next(answers, None) == part, f"message {index} is another")
            ensure(next(answers, None) is None, "too many messages came")
        return "replied"
    except grpc.RpcError as error:
        code = error.code()
        if kind == "status" and (code, error.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, STATUS_MESSAGE):
            return "refused"
        if has_deadline and code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
            return "deadline"
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return "lost"
        raise


class Round:
    """What becomes of the calls of one task."""

    def __init__(self, seconds):
        self.begun = time.monotonic()
        self.end = self.begun + seconds
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.errors = []

    def clock(self):
        return int((time.monotonic() - self.begun) * 1000)

    def work(self, path, client, dice):
        while time.monotonic() < self.end:
            kind, begun = dice.choice(KINDS), self.clock()
            try:
                outcome, words = call(client, kind, dice), None
            except Wrong as error:
                outcome, words = "wrong", str(error)
            except grpc.RpcError as error:
                outcome, words = "error", f"{error.code()} {error.details()}"
            with self.lock:
                if outcome == "error":
                    words = " ".join(words.split())
                    self.errors.append(f"{path} {kind} error {begun} {self.clock()} {words}")
                else:
                    self.counts[f"{path} {kind} {outcome}"] += 1
            time.sleep(dice.uniform(0, 0.05))


def run(clients, callers, seconds, seed):
    current = Round(seconds)
    threads = []
    for path, client in enumerate(clients):
        for caller in range(callers):
            dice = random.Random(f"{seed} {path} {caller}")
            threads.append(threading.Thread(target=current.work, args=(path, client, dice)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "\t".join([f"{what} {count}" for what, count in current.counts.items()] + current.errors)


def settle(clients):
    for path, client in enumerate(clients):
        limit = time.monotonic() + BOUND
        while True:
            try:
                client.unary(PATTERN[:1000], timeout=5)
                break
            except grpc.RpcError as error:
                if time.monotonic() > limit:
                    raise RuntimeError(f"path {path} carries no call: {error.code()} {error.details()}") from error
                time.sleep(0.05)
    return ""


def main(callers, addresses):
    # The shortest pause is also how long connecting may take.
    options = [*OPTIONS, ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    options += [("grpc.min_reconnect_backoff_ms", BOUND * 1000), ("grpc.use_local_subchannel_pool", 1)]
    clients = [Client(grpc.insecure_channel(address, options=options)) for address in addresses]
    for line in sys.stdin:
        try:
            match line.split():
                case ["run", seconds, seed]:
                    answer = run(clients, callers, float(seconds), seed)
                case ["settle"]:
                    answer = settle(clients)
                case _:
                    raise ValueError(f"not a task: {line}")
            print("done", answer, flush=True)
        except Exception as error:
            print("failed", " ".join(repr(error).split()), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(int(sys.argv[1]), sys.argv[2:])
