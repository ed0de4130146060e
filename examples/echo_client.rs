//! A load for `echo_server`: any kind of call, over any number of connections.
//!
//! ```text
//! cargo run --release --example echo_client -- http://127.0.0.1:50051 --call unary --connections 4 --streams 16
//! cargo run --release --example echo_client -- unix:/tmp/echo.sock --call get --requests 1 --hold 10
//! ```
//!
//! It prints how many calls went through in a second, how long they took, and what memory it holds.

use std::{
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::{Parser, ValueEnum};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use millpond::{Channel, buffer::BufferPool};
use millpond_testkit::{
    conversation::pattern,
    echo::{EchoClient, Msg, SERVER_STREAM_MESSAGES},
    latency::Histogram,
    rss,
    table::octets,
};
use tokio::task::JoinSet;
use tonic::Streaming;
use tower::{Service, ServiceExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Calls an echo server over HTTP/2 with prior knowledge.
#[derive(Parser)]
struct Flags {
    /// `http://HOST:PORT` or `unix:PATH`.
    url: String,
    /// What to call.
    #[arg(long, value_enum, default_value_t = Call::Unary)]
    call: Call,
    /// Connections.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=19_000))]
    connections: u16,
    /// Calls in flight on each connection.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    streams: u16,
    /// Calls on all connections together; never fewer than one on each.
    #[arg(long, default_value_t = 10_000)]
    requests: u64,
    /// Octets of each message or body.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1 << 30))]
    size: u32,
    /// Seconds to keep the connections, idle, before memory is printed once more.
    #[arg(long)]
    hold: Option<u64>,
    /// Threads; 1 has no other threads at all [default: one for each processor].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Call {
    /// `GET /`
    Get,
    /// `POST /echo`: the body comes back.
    Echo,
    /// `POST /sink`: the body is counted.
    Sink,
    /// gRPC: one message comes back.
    Unary,
    /// gRPC: one message comes back 100 times.
    ServerStream,
    /// gRPC: 100 messages come back as one.
    ClientStream,
    /// gRPC: 100 messages come back one by one.
    Bidi,
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    let mut runtime = match flags.threads {
        Some(1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(threads @ 2..) = flags.threads {
        runtime.worker_threads(threads.into());
    }
    runtime.enable_all().build()?.block_on(load(flags))?;
    Ok(ExitCode::SUCCESS)
}

async fn load(flags: Flags) -> Result<(), BoxError> {
    let payload = pattern(flags.size as usize);
    let before = rss();
    let mut channels = Vec::new();
    for _ in 0..flags.connections {
        channels.push(Channel::from_shared(&flags.url)?.connect().await?);
    }

    let begun = Instant::now();
    let mut callers = JoinSet::new();
    let share = flags.requests.div_ceil(flags.connections.into()).max(1);
    // A histogram of its own for each caller would be most of the memory.
    let books: [Arc<Mutex<Books>>; 8] = Default::default();
    for (channel, books) in channels.iter().zip(books.iter().cycle()) {
        let left = Arc::new(AtomicU64::new(share));
        for _ in 0..flags.streams {
            let (channel, payload) = (channel.clone(), payload.clone());
            callers.spawn(call_until_done(flags.call, channel, payload, left.clone(), books.clone()));
        }
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    let took = begun.elapsed();
    let mut times = Histogram::new();
    let mut moved = 0;
    for books in &books {
        let books = books.lock().map_err(|_| "a caller panicked")?;
        times.merge(&books.times);
        moved += books.moved;
    }

    let rate = |count: f64| count / took.as_secs_f64();
    println!(
        "{} calls on {} connections, {} in flight on each, in {took:.2?}: {:.0} calls/s, {}/s both ways together",
        times.count(),
        flags.connections,
        flags.streams,
        rate(times.count() as f64),
        octets(rate(moved as f64) as usize),
    );
    println!("latency: {times}");
    println!("memory: {}", memory(before, flags.connections));
    if let Some(hold) = flags.hold {
        tokio::time::sleep(Duration::from_secs(hold)).await;
        println!("memory after {hold} s of rest: {}", memory(before, flags.connections));
    }
    Ok(())
}

/// What callers note down.
#[derive(Default)]
struct Books {
    /// How long each call took.
    times: Histogram,
    /// All octets of payload, both ways.
    moved: u64,
}

/// Makes calls, one after the other, while any are left.
async fn call_until_done(
    call: Call,
    mut channel: Channel,
    payload: Bytes,
    left: Arc<AtomicU64>,
    books: Arc<Mutex<Books>>,
) -> Result<(), BoxError> {
    let take = |left: u64| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let begun = Instant::now();
        let octets = match call {
            Call::Get | Call::Echo | Call::Sink => fetch(call, &mut channel, payload.clone()).await?,
            _ => remote(call, channel.clone(), payload.clone()).await?,
        };
        let mut books = books.lock().map_err(|_| "another caller panicked")?;
        books.times.record(begun.elapsed());
        books.moved += octets as u64;
    }
    Ok(())
}

/// One exchange in plain HTTP; the octets of both bodies.
async fn fetch(call: Call, channel: &mut Channel, payload: Bytes) -> Result<usize, BoxError> {
    let (method, path, payload) = match call {
        Call::Get => (Method::GET, "/", Bytes::new()),
        Call::Echo => (Method::POST, "/echo", payload),
        _ => (Method::POST, "/sink", payload),
    };
    let sent = payload.len();
    let request = Request::builder().method(method).uri(path).body(Full::new(payload))?;
    let ready = ServiceExt::<Request<Full<Bytes>>>::ready(channel).await?;
    let response = ready.call(request).await?;
    if !response.status().is_success() {
        return Err(format!("{path}: {}", response.status()).into());
    }
    let mut body = response.into_body();
    let mut came = 0;
    while let Some(frame) = body.frame().await.transpose()? {
        came += frame.data_ref().map_or(0, Bytes::len);
    }
    if call == Call::Echo && came != sent {
        return Err(format!("{sent} octets were sent, {came} came back").into());
    }
    Ok(sent + came)
}

/// One call in gRPC; the octets of all messages.
async fn remote(call: Call, channel: Channel, payload: Bytes) -> Result<usize, BoxError> {
    let size = payload.len();
    let mut client = EchoClient::new(channel).max_decoding_message_size(usize::MAX);
    let message = Msg::from(payload);
    let messages = || tokio_stream::iter(std::iter::repeat_n(message.clone(), SERVER_STREAM_MESSAGES));
    let all = SERVER_STREAM_MESSAGES * size;
    let (sent, expected, came) = match call {
        Call::ServerStream => (size, all, count(client.server_stream(message).await?.into_inner()).await?),
        Call::ClientStream => (all, all, client.client_stream(messages()).await?.into_inner().data.len()),
        Call::Bidi => (all, all, count(client.bidi(messages()).await?.into_inner()).await?),
        _ => (size, size, client.unary(message).await?.into_inner().data.len()),
    };
    if came != expected {
        return Err(format!("{came} octets came instead of {expected}").into());
    }
    Ok(sent + came)
}

async fn count(mut messages: Streaming<Msg>) -> Result<usize, BoxError> {
    let mut octets = 0;
    while let Some(message) = messages.message().await? {
        octets += message.data.len();
    }
    Ok(octets)
}

fn memory(before: Option<usize>, connections: u16) -> String {
    let pool = BufferPool::global().stats();
    let blocks = format!("{} blocks out, {} idle in the pool", pool.blocks_out, octets(pool.octets_idle));
    match (before, rss()) {
        (Some(before), Some(now)) => {
            let more = now.saturating_sub(before);
            let (now, each) = (octets(now), octets(more / usize::from(connections)));
            format!(
                "{now} resident, {} more than at first ({each} for each connection), {blocks}",
                octets(more)
            )
        }
        _ => blocks,
    }
}
