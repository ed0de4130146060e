//! The conversations that a gRPC client holds with an `echo.Echo` server, over any transport.
//!
//! The Rust counterpart of the `client` mode of the peers in `tests/peers/`: every kind of call in every size, many
//! calls at once, metadata, statuses, deadlines, cancellation. Each conversation has a time limit, so a stall is a
//! failure, and after each cancellation the transport must still serve.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::StdError;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

use crate::echo::{EchoClient, Msg, SERVER_STREAM_MESSAGES, STATUS_MESSAGE};

/// Octets in the messages: none, one, a part of a frame, more than a default window, many frames.
pub const SIZES: [usize; 5] = [0, 1, 1000, 70_000, 1 << 20];

/// How long one conversation may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Calls in flight together.
const AT_ONCE: usize = 64;

/// Anything that carries gRPC calls: [`tonic::transport::Channel`] or what is tested in its place.
pub trait Transport:
    GrpcService<
        Body,
        ResponseBody: tonic::codegen::Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        Error: Into<StdError> + Send,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<T> Transport for T where
    T: GrpcService<
            Body,
            ResponseBody: tonic::codegen::Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
            Error: Into<StdError> + Send,
            Future: Send,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// How the conversations went. Prints as the peers print: one line for each failure, then the count.
#[derive(Debug, Default)]
pub struct Tally {
    /// Conversations that went as they should.
    pub passed: usize,
    /// The others, each with what went wrong.
    pub failures: Vec<String>,
}

impl Tally {
    /// Panics, with all failures, unless something passed and nothing failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.passed > 0 && self.failures.is_empty(), "{self}");
    }

    async fn hold(&mut self, name: impl fmt::Display, talk: impl Future<Output = Outcome>) {
        match tokio::time::timeout(LIMIT, talk).await {
            Ok(Ok(())) => self.passed += 1,
            Ok(Err(error)) => self.failures.push(format!("{name}: {error}")),
            Err(_) => self.failures.push(format!("{name}: not over after {LIMIT:?}")),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "failed: {failure}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())
    }
}

/// Holds every conversation but compressed ones.
pub async fn hold(transport: impl Transport) -> Tally {
    let client = EchoClient::new(transport.clone()).max_decoding_message_size(usize::MAX);
    let mut tally = Tally::default();
    for size in SIZES {
        tally.hold(format_args!("unary, {size}"), unary(client.clone(), size)).await;
        tally.hold(format_args!("server stream, {size}"), server_stream(client.clone(), size)).await;
        tally.hold(format_args!("client stream, {size}"), client_stream(client.clone(), size)).await;
        tally.hold(format_args!("bidi, {size}"), bidi(client.clone(), size)).await;
    }
    tally.hold("unary, many at once", at_once(&client)).await;
    tally.hold("metadata", metadata(client.clone())).await;
    tally.hold("status", status(client.clone())).await;
    tally.hold("unknown method", unknown_method(transport)).await;
    tally.hold("deadline", deadline(client.clone())).await;
    tally.hold("cancelled bidi", cancelled_bidi(client.clone())).await;
    tally.hold("cancelled server stream", cancelled_server_stream(client.clone())).await;
    tally.hold("cancelled unary", cancelled_unary(client)).await;
    tally
}

/// Holds the compressed conversations, with a server that must allow gzip.
pub async fn hold_gzip(transport: impl Transport) -> Tally {
    let client = EchoClient::new(transport).send_compressed(Gzip).accept_compressed(Gzip);
    let mut tally = Tally::default();
    for size in SIZES {
        tally.hold(format_args!("gzip unary, {size}"), unary(client.clone(), size)).await;
        tally.hold(format_args!("gzip bidi, {size}"), bidi(client.clone(), size)).await;
    }
    tally
}

/// Octets to send: of this length, and telling when any are lost, doubled or moved.
pub fn pattern(size: usize) -> Bytes {
    (0..size).map(|index| (index % 251) as u8).collect::<Vec<u8>>().into()
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

async fn unary<T: Transport>(mut client: EchoClient<T>, size: usize) -> Outcome {
    let answer = client.unary(Msg::from(pattern(size))).await?;
    ensure(answer.into_inner().data == pattern(size), "another message came back")
}

async fn server_stream<T: Transport>(mut client: EchoClient<T>, size: usize) -> Outcome {
    let data = pattern(size);
    let mut answers = client.server_stream(Msg::from(data.clone())).await?.into_inner();
    for index in 0..SERVER_STREAM_MESSAGES {
        let answer = answers.message().await?;
        ensure(answer.is_some_and(|answer| answer.data == data), format_args!("message {index} is another"))?;
    }
    ensure(answers.message().await?.is_none(), "too many messages")
}

async fn client_stream<T: Transport>(mut client: EchoClient<T>, size: usize) -> Outcome {
    const MESSAGES: usize = 3;
    let data = pattern(size);
    let answer = client.client_stream(tokio_stream::iter(vec![Msg::from(data.clone()); MESSAGES])).await?;
    ensure(answer.into_inner().data == data.repeat(MESSAGES), "the joined message is another")
}

async fn bidi<T: Transport>(mut client: EchoClient<T>, size: usize) -> Outcome {
    const ROUNDS: usize = 5;
    let data = pattern(size);
    let (send, messages) = mpsc::channel(1);
    // Some servers answer with their first message only, so the first question cannot wait for the response.
    send.send(Msg::from(data.clone())).await?;
    let mut answers = client.bidi(ReceiverStream::new(messages)).await?.into_inner();
    for round in 0..ROUNDS {
        let answer = answers.message().await?;
        ensure(answer.is_some_and(|answer| answer.data == data), format_args!("answer {round} is another"))?;
        if round + 1 < ROUNDS {
            send.send(Msg::from(data.clone())).await?;
        }
    }
    drop(send);
    ensure(answers.message().await?.is_none(), "too many answers")
}

async fn at_once<T: Transport>(client: &EchoClient<T>) -> Outcome {
    let mut calls = JoinSet::new();
    for index in 0..AT_ONCE {
        calls.spawn(unary(client.clone(), index * 1000));
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(())
}

async fn metadata<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    let text: MetadataValue<_> = "0123456789abcdef".repeat(512).parse()?;
    let octets = MetadataValue::from_bytes(&pattern(256));
    let mut request = Request::new(Msg::from(pattern(10)));
    request.metadata_mut().insert("x-echo", text.clone());
    request.metadata_mut().insert_bin("x-echo-bin", octets.clone());
    let answer = client.unary(request).await?;
    ensure(answer.metadata().get("x-echo") == Some(&text), "8 KiB of text did not come back")?;
    ensure(answer.metadata().get_bin("x-echo-bin") == Some(&octets), "the octets did not come back")
}

async fn status<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    let mut request = Request::new(Msg::from(pattern(10)));
    request.metadata_mut().insert("x-status", MetadataValue::from(Code::ResourceExhausted as i32));
    let status = refusal(client.unary(request).await)?;
    let as_asked = status.code() == Code::ResourceExhausted && status.message() == STATUS_MESSAGE;
    ensure(as_asked, format_args!("not the status asked for: {status:?}"))
}

async fn unknown_method<T: Transport>(transport: T) -> Outcome {
    let mut grpc = Grpc::new(transport);
    grpc.ready().await.map_err(Into::into)?;
    let path = PathAndQuery::from_static("/echo.Echo/Missing");
    let codec = tonic_prost::ProstCodec::<Msg, Msg>::default();
    let status = refusal(grpc.unary(Request::new(Msg::default()), path, codec).await)?;
    ensure(status.code() == Code::Unimplemented, format_args!("not unimplemented: {status:?}"))
}

async fn deadline<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    let begun = Instant::now();
    let mut request = slow_request();
    request.set_timeout(Duration::from_millis(200));
    let status = refusal(client.unary(request).await)?;
    // Stock tonic, client and server, calls an expired deadline a cancellation.
    let by_tonic = status.code() == Code::Cancelled && status.message() == "Timeout expired";
    ensure(
        by_tonic || status.code() == Code::DeadlineExceeded,
        format_args!("not the deadline: {status:?}"),
    )?;
    ensure(begun.elapsed() < Duration::from_secs(5), "the deadline came too late")
}

async fn cancelled_bidi<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    for size in SIZES {
        let (send, messages) = mpsc::channel(1);
        send.send(Msg::from(pattern(size))).await?;
        let mut answers = client.bidi(ReceiverStream::new(messages)).await?.into_inner();
        ensure(answers.message().await?.is_some(), "the stream ended by itself")?;
        send.send(Msg::from(pattern(size))).await?;
        drop((answers, send));
        unary(client.clone(), size).await?;
    }
    Ok(())
}

async fn cancelled_server_stream<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    for size in SIZES {
        let mut answers = client.server_stream(Msg::from(pattern(size))).await?.into_inner();
        for _ in 0..3 {
            ensure(answers.message().await?.is_some(), "the stream ended by itself")?;
        }
        drop(answers);
        unary(client.clone(), size).await?;
    }
    Ok(())
}

async fn cancelled_unary<T: Transport>(mut client: EchoClient<T>) -> Outcome {
    let patience = Duration::from_millis(100);
    let gave_up = tokio::time::timeout(patience, client.unary(slow_request())).await.is_err();
    ensure(gave_up, "the slow call was not slow")?;
    unary(client, 1000).await
}

/// A call that no conversation waits for.
fn slow_request() -> Request<Msg> {
    let mut request = Request::new(Msg::from(pattern(10)));
    request.metadata_mut().insert("x-delay-ms", MetadataValue::from_static("10000"));
    request
}

/// The status of a call that must not succeed.
fn refusal<T>(result: Result<T, Status>) -> Result<Status, Box<dyn Error + Send + Sync>> {
    result.err().ok_or_else(|| "the call succeeded".into())
}

fn ensure(holds: bool, else_what: impl fmt::Display) -> Outcome {
    if holds { Ok(()) } else { Err(else_what.to_string().into()) }
}
