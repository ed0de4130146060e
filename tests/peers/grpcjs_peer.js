// grpc-js, on the HTTP/2 of Node, as a peer: serves echo.Echo, or holds every conversation with a server of it.
//
//     grpcjs_peer.js server                        prints `listening on ADDR` and serves
//     grpcjs_peer.js client ADDR [--require-gzip]  talks to a server, prints `N passed, 0 failed`; the exit code says it too
//
// What the service does is said in tests/support/proto/echo.proto. Compressed calls to a server that refuses gzip are
// told and not counted, unless --require-gzip makes them failures.
'use strict';

const { createRequire } = require('node:module');
const { once } = require('node:events');
const path = require('node:path');

const project = path.resolve(__dirname, '../..');
// Where install.sh puts the packages.
const installed = createRequire(path.join(project, 'target/peers/node/package.json'));
const grpc = installed('@grpc/grpc-js');
const loader = installed('@grpc/proto-loader');

const STREAM_MESSAGES = 100;
const STATUS_MESSAGE = 'as asked: 100 % é';
const SIZES = [0, 1, 1000, 70_000, 1 << 20];
const LIMIT = 30_000; // milliseconds for one conversation; a stall is a failure
const AT_ONCE = 64;
const OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.enable_http_proxy': 0,
};

const proto = path.join(project, 'tests/support/proto/echo.proto');
const { Echo } = grpc.loadPackageDefinition(loader.loadSync(proto, { defaults: true })).echo;

// The server.

/** Does what the request metadata asks for; false if that ended the call. */
function obey(call, refuse) {
  const [status] = call.metadata.get('x-status');
  if (status !== undefined) {
    refuse({ code: Number(status), details: STATUS_MESSAGE });
    return false;
  }
  const echoed = new grpc.Metadata();
  for (const key of Object.keys(call.metadata.getMap()).filter((key) => key.startsWith('x-echo'))) {
    call.metadata.get(key).forEach((value) => echoed.add(key, value));
  }
  call.sendMetadata(echoed);
  return true;
}

async function unary(call, answer) {
  const [delay] = call.metadata.get('x-delay-ms');
  if (delay !== undefined) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, Number(delay));
      call.once('cancelled', () => (clearTimeout(timer), resolve()));
    });
  }
  if (obey(call, answer)) answer(null, call.request);
}

async function serverStream(call) {
  if (!obey(call, (status) => call.emit('error', status))) return;
  for (let sent = 0; sent < STREAM_MESSAGES && !call.cancelled; sent += 1) {
    if (!call.write(call.request)) await drained(call);
  }
  call.end();
}

function clientStream(call, answer) {
  const pieces = [];
  call.on('data', (message) => pieces.push(message.data));
  call.on('end', () => obey(call, answer) && answer(null, { data: Buffer.concat(pieces) }));
}

// Not by `for await`: that destroys the call, answers included, when the questions end.
function bidi(call) {
  if (!obey(call, (status) => call.emit('error', status))) return;
  call.on('data', (message) => {
    if (call.write(message)) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
}

/** Resolves when the call takes messages again, or never will. */
function drained(call) {
  return Promise.race([once(call, 'drain'), once(call, 'cancelled')]).catch(() => {});
}

function serve() {
  const server = new grpc.Server(OPTIONS);
  server.addService(Echo.service, {
    Unary: unary,
    ServerStream: serverStream,
    ClientStream: clientStream,
    Bidi: bidi,
  });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(`listening on 127.0.0.1:${port}`);
  });
  if (process.env.PEER_ENDS_WITH_STDIN) process.stdin.on('end', () => process.exit(0)).resume();
}

// The client.

/** Octets that tell when any are lost, doubled or moved. */
function pattern(size) {
  const data = Buffer.allocUnsafe(size);
  for (let index = 0; index < size; index += 1) data[index] = index % 251;
  return data;
}

function ensure(holds, elseWhat) {
  if (!holds) throw new Error(elseWhat);
}

/** The error of a call that must not succeed. */
async function refusal(call) {
  const error = await call.then(() => null, (error) => error);
  ensure(error, 'the call succeeded');
  return error;
}

class Conversations {
  constructor(address, options = {}) {
    this.client = new Echo(address, grpc.credentials.createInsecure(), { ...OPTIONS, ...options });
  }

  close() {
    this.client.close();
  }

  deadline(limit = LIMIT) {
    return { deadline: Date.now() + limit };
  }

  metadata(entries = {}) {
    const metadata = new grpc.Metadata({ waitForReady: true });
    for (const [key, value] of Object.entries(entries)) metadata.add(key, value);
    return metadata;
  }

  /** The octets that come back, and the metadata. */
  ask(data, { metadata = this.metadata(), limit, started = () => {} } = {}) {
    return new Promise((resolve, reject) => {
      let received = null;
      const call = this.client.Unary({ data }, metadata, this.deadline(limit), (error, answer) =>
        error ? reject(error) : resolve({ data: answer.data, metadata: received }),
      );
      call.on('metadata', (metadata) => (received = metadata));
      started(call);
    });
  }

  async unary(size) {
    const answer = await this.ask(pattern(size));
    ensure(answer.data.equals(pattern(size)), 'another message came back');
  }

  async serverStream(size) {
    const data = pattern(size);
    let count = 0;
    for await (const answer of this.client.ServerStream({ data }, this.metadata(), this.deadline())) {
      ensure(answer.data.equals(data), `message ${count} is another`);
      count += 1;
    }
    ensure(count === STREAM_MESSAGES, `${count} messages came back`);
  }

  async clientStream(size) {
    const data = pattern(size);
    const joined = await new Promise((resolve, reject) => {
      const call = this.client.ClientStream(this.metadata(), this.deadline(), (error, answer) =>
        error ? reject(error) : resolve(answer.data),
      );
      for (let sent = 0; sent < 3; sent += 1) call.write({ data });
      call.end();
    });
    ensure(joined.equals(Buffer.concat([data, data, data])), 'the joined message is another');
  }

  async bidi(size) {
    const data = pattern(size);
    const call = this.client.Bidi(this.metadata(), this.deadline());
    const answers = call[Symbol.asyncIterator]();
    for (let turn = 0; turn < 5; turn += 1) {
      call.write({ data });
      const { value } = await answers.next();
      ensure(value?.data.equals(data), `answer ${turn} is another`);
    }
    call.end();
    ensure((await answers.next()).done, 'too many answers');
  }

  async manyAtOnce() {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => this.unary(index * 1000)));
  }

  async echoedMetadata() {
    const text = '0123456789abcdef'.repeat(512);
    const metadata = this.metadata({ 'x-echo': text, 'x-echo-bin': pattern(256) });
    const answer = await this.ask(pattern(10), { metadata });
    ensure(answer.metadata.get('x-echo')[0] === text, '8 KiB of text did not come back');
    ensure(answer.metadata.get('x-echo-bin')[0].equals(pattern(256)), 'the octets did not come back');
  }

  async status() {
    const metadata = this.metadata({ 'x-status': String(grpc.status.RESOURCE_EXHAUSTED) });
    const error = await refusal(this.ask(pattern(10), { metadata }));
    const asAsked = error.code === grpc.status.RESOURCE_EXHAUSTED && error.details === STATUS_MESSAGE;
    ensure(asAsked, `not the status asked for: ${error}`);
  }

  async unknownMethod() {
    const same = (octets) => octets;
    const call = new Promise((resolve, reject) => {
      this.client.makeUnaryRequest('/echo.Echo/Missing', same, same, Buffer.alloc(0), (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
    const error = await refusal(call);
    ensure(error.code === grpc.status.UNIMPLEMENTED, `not unimplemented: ${error}`);
  }

  async expiredDeadline() {
    const begun = Date.now();
    const error = await refusal(this.ask(pattern(10), { metadata: this.metadata({ 'x-delay-ms': '10000' }), limit: 200 }));
    ensure(error.code === grpc.status.DEADLINE_EXCEEDED, `not the deadline: ${error}`);
    ensure(Date.now() - begun < 5000, 'the deadline came too late');
  }

  async cancelledUnary() {
    const metadata = this.metadata({ 'x-delay-ms': '10000' });
    const started = (call) => setTimeout(() => call.cancel(), 100);
    const error = await refusal(this.ask(pattern(10), { metadata, started }));
    ensure(error.code === grpc.status.CANCELLED, `not cancelled: ${error}`);
    await this.unary(1000);
  }

  async cancelledBidi(size) {
    const call = this.client.Bidi(this.metadata(), this.deadline());
    const answers = call[Symbol.asyncIterator]();
    call.write({ data: pattern(size) });
    ensure((await answers.next()).value?.data.equals(pattern(size)), 'another message came back');
    call.write({ data: pattern(size) });
    call.cancel();
    const error = await refusal(untilEnd(answers));
    ensure(error.code === grpc.status.CANCELLED, `not cancelled: ${error}`);
    await this.unary(size);
  }

  async cancelledServerStream(size) {
    const call = this.client.ServerStream({ data: pattern(size) }, this.metadata(), this.deadline());
    const answers = call[Symbol.asyncIterator]();
    for (let count = 0; count < 3; count += 1) {
      ensure((await answers.next()).value?.data.equals(pattern(size)), 'another message came back');
    }
    call.cancel();
    // Small streams may have arrived whole before they were cancelled.
    const error = await untilEnd(answers).then(() => null, (error) => error);
    ensure(!error || error.code === grpc.status.CANCELLED, `not cancelled: ${error}`);
    await this.unary(size);
  }
}

async function untilEnd(answers) {
  while (!(await answers.next()).done);
}

class Tally {
  passed = 0;
  failed = 0;

  async hold(name, talk) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over after ${LIMIT} ms`)), LIMIT);
    });
    try {
      await Promise.race([talk(), late]);
      this.passed += 1;
    } catch (error) {
      this.failed += 1;
      console.log(`failed: ${name}: ${error}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async holdSizes(name, talk) {
    for (const size of SIZES) await this.hold(`${name}, ${size}`, () => talk(size));
  }
}

async function allowsGzip(compressed) {
  const refused = (error) => error.code === grpc.status.UNIMPLEMENTED;
  return compressed.ask(pattern(1000)).then(() => true, (error) => !refused(error));
}

async function talk(address, requireGzip) {
  const tally = new Tally();
  const plain = new Conversations(address);
  await tally.holdSizes('unary', (size) => plain.unary(size));
  await tally.holdSizes('server stream', (size) => plain.serverStream(size));
  await tally.holdSizes('client stream', (size) => plain.clientStream(size));
  await tally.holdSizes('bidi', (size) => plain.bidi(size));
  await tally.hold('unary, many at once', () => plain.manyAtOnce());
  await tally.hold('metadata', () => plain.echoedMetadata());
  await tally.hold('status', () => plain.status());
  await tally.hold('unknown method', () => plain.unknownMethod());
  await tally.hold('deadline', () => plain.expiredDeadline());
  await tally.hold('cancelled unary', () => plain.cancelledUnary());
  await tally.holdSizes('cancelled bidi', (size) => plain.cancelledBidi(size));
  await tally.holdSizes('cancelled server stream', (size) => plain.cancelledServerStream(size));
  plain.close();

  const compressed = new Conversations(address, {
    'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
  });
  if (requireGzip || (await allowsGzip(compressed))) {
    await tally.holdSizes('gzip unary', (size) => compressed.unary(size));
    await tally.holdSizes('gzip bidi', (size) => compressed.bidi(size));
  } else {
    console.log('not counted: gzip, which the server refuses');
  }
  compressed.close();

  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  // A stalled conversation may have left a stream open, which must not keep the process alive.
  process.exit(tally.passed && !tally.failed ? 0 : 1);
}

const [mode, address, flag] = process.argv.slice(2);
if (mode === 'server' && !address) {
  serve();
} else if (mode === 'client' && address && [undefined, '--require-gzip'].includes(flag)) {
  talk(address, flag !== undefined);
} else {
  console.error('usage: grpcjs_peer.js server | client ADDR [--require-gzip]');
  process.exit(2);
}
