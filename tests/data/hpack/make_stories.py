#!/usr/bin/env python3
"""Stories for the HPACK tests, told by an encoder that is not ours (the `hpack` package of PyPI).

    make_stories.py make            writes theirs.story beside this script
    make_stories.py check FILE...   reads stories with the independent decoder

A story is the life of one connection, as lines:

    story NAME
    setting OCTETS        the receiver's SETTINGS_HEADER_TABLE_SIZE, acknowledged before the next block
    block HEX             a field block; the fields that it decodes to follow
    field NAME<TAB>VALUE
    never NAME<TAB>VALUE  the same, as a never-indexed literal
"""

import pathlib
import random
import sys

from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple

HERE = pathlib.Path(__file__).parent


class Story:
    def __init__(self, name):
        self.lines = [f"story {name}"]
        self.encoder = Encoder()

    def setting(self, octets):
        self.encoder.header_table_size = octets
        self.lines.append(f"setting {octets}")

    def block(self, fields, huffman=True):
        fields = [f if isinstance(f, HeaderTuple) else HeaderTuple(*f) for f in fields]
        self.lines.append("block " + self.encoder.encode(fields, huffman=huffman).hex())
        for field in fields:
            kind = "field" if field.indexable else "never"
            self.lines.append(f"{kind} {field[0]}\t{field[1]}")


def request(path, *more):
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "greeter.example:50051"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "teller/1.0 (independent; rv:7)"),
        ("grpc-accept-encoding", "identity,deflate,gzip"),
        *more,
    ]


def grpc_client(chance):
    story = Story("calls of a gRPC client")
    for call in range(30):
        path = chance.choice(["/greet.Greeter/SayHello", "/greet.Greeter/SayMany", "/clock.Clock/Now"])
        more = [("grpc-timeout", f"{chance.randrange(1, 99999)}u"), ("x-request-id", f"{chance.getrandbits(128):032x}")]
        if call % 5 == 0:
            more.append(NeverIndexedHeaderTuple("authorization", f"Bearer {chance.getrandbits(96):024x}"))
        story.block(request(path, *more))
    return story


def grpc_server(chance):
    story = Story("answers of a gRPC server, without Huffman")
    for _ in range(25):
        story.block([(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip")], huffman=False)
        status = chance.choice(["0", "0", "0", "5", "13"])
        trailers = [("grpc-status", status), ("grpc-message", "" if status == "0" else f"call {chance.randrange(9)} failed")]
        story.block(trailers, huffman=False)
    return story


def browsing(chance):
    story = Story("pages, Huffman now and then")
    names = ["cache-control", "etag", "vary", "server", "x-cache", "x-served-by", "set-cookie", "link", "via", "age"]
    for _ in range(40):
        fields = [(":status", str(chance.choice([200, 204, 206, 301, 304, 404, 418, 500, 503])))]
        for name in chance.sample(names, chance.randrange(1, len(names))):
            value = f"{name}-{chance.randrange(6)}; " + "v" * chance.randrange(1, 60)
            # That encoder refers to the table if it has the value, even one never to be indexed.
            if chance.random() < 0.1:
                fields.append(NeverIndexedHeaderTuple(name, f"secret {value}"))
            else:
                fields.append((name, value))
        story.block(fields, huffman=chance.random() < 0.5)
    return story


def resizing(chance):
    story = Story("table sizes up and down")
    for octets in [[], [0], [], [100], [256], [], [4096], [64, 1024], [0, 4096], [8192], [50, 70], [65536], [4096]]:
        for one in octets:
            story.setting(one)
        for _ in range(3):
            story.block(request(f"/things/{chance.randrange(4)}", ("x-shard", str(chance.randrange(5)))))
    return story


def long_strings(chance):
    story = Story("long strings")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
    for octets in [126, 127, 128, 254, 255, 300, 1000, 4000, 4096, 6000]:
        value = "".join(chance.choice(letters) for _ in range(octets)).strip("-") or "x"
        story.block([("x-long", value), ("x-short", "s")], huffman=octets % 2 == 0)
        story.block([("x-" + value[:200].strip("-"), value[:40].strip("-")), ("x-short", "s")])
    return story


def every_octet():
    story = Story("every octet that a name and a value may have")
    token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
    visible = "".join(map(chr, range(0x21, 0x7F)))
    for huffman in (True, False):
        story.block([(token, visible), ("x-spaces", "a b  c"), ("x-empty", "")], huffman)
        story.block([("x-" + octet, visible[i:] + octet) for i, octet in enumerate(token)], huffman)
    return story


def make():
    chance = random.Random(7541)
    stories = [
        grpc_client(chance),
        grpc_server(chance),
        browsing(chance),
        resizing(chance),
        long_strings(chance),
        every_octet(),
    ]
    text = "".join("\n".join(story.lines) + "\n" for story in stories)
    (HERE / "theirs.story").write_text(text)
    check(HERE / "theirs.story")


def check(path):
    decoder, told, blocks = None, [], 0
    for number, line in enumerate(pathlib.Path(path).read_text().split("\n"), 1):
        word, _, rest = line.partition(" ")
        if word in ("story", "setting", "block", ""):
            assert not told, f"{path}:{number}: not in the text: {told}"
        if word == "story":
            decoder = Decoder(max_header_list_size=1 << 20)
        elif word == "setting":
            decoder.max_allowed_table_size = int(rest)
        elif word == "block":
            told = list(decoder.decode(bytes.fromhex(rest)))
            blocks += 1
        elif word in ("field", "never"):
            field = told.pop(0)
            assert tuple(field) == tuple(rest.split("\t")), f"{path}:{number}: decoded {field}"
            assert field.indexable == (word == "field"), f"{path}:{number}: indexable"
    print(f"{path}: {blocks} blocks are as told")


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif len(sys.argv) > 2 and sys.argv[1] == "check":
        for name in sys.argv[2:]:
            check(name)
    else:
        sys.exit(__doc__)
