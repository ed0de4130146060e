//! Greets over TCP and over a Unix socket, makes every kind of call, and shows what idle connections cost.
//!
//! ```text
//! cargo run --release --example greeter [-- --connections 1000]
//! ```
//!
//! The service and the client are what `tonic-build` generates; only the transport is ours. The table at the end
//! compares it with tonic's own. It ends with an error if a block of the buffer pool is still out.

#[path = "../benches/common/mod.rs"]
mod common;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use millpond::{Channel, Server, buffer::BufferPool, server::TcpIncoming};
use millpond_testkit::{
    echo::{self, EchoClient, Msg},
    greeter::{GreeterClient, HelloRequest},
    heap::CountingAllocator,
};
use tokio::sync::watch;

use common::{
    BoxError, grpc,
    idle::{self, Pair, Subject},
};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Greets, makes every kind of call, and shows what idle connections cost.
#[derive(Parser)]
struct Flags {
    /// Idle connections to measure.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=19_000))]
    connections: u16,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true, name = idle::WORKER)]
    Worker { stack: String },
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    if let Some(Role::Worker { stack }) = flags.role {
        idle::work(&stack, &HEAP)?;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::runtime::Runtime::new()?.block_on(greet())?;
    let mut blocks_out = BufferPool::global().stats().blocks_out;
    blocks_out += measure(flags.connections.into())?;
    println!("blocks still out: {blocks_out}");
    Ok(if blocks_out == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One server on two sockets (one, where there are no Unix sockets), and a channel to each.
async fn greet() -> Result<(), BoxError> {
    let tcp = TcpIncoming::bind("127.0.0.1:0".parse()?).await?;
    let addr = tcp.local_addr()?;
    let (stop, stopped) = watch::channel(());
    let ended = |mut stopped: watch::Receiver<()>| async move { while stopped.changed().await.is_ok() {} };
    let server = Server::builder();
    let on_tcp = tokio::spawn(server.clone().serve_with_incoming_shutdown(
        tcp,
        echo::routes(),
        ended(stopped.clone()),
    ));
    talk("tcp", Channel::from_shared(&format!("http://{addr}"))?.connect().await?).await?;
    #[cfg(unix)]
    let (path, on_unix) = {
        let path = std::env::temp_dir().join(format!("millpond-greeter-{}.sock", std::process::id()));
        let unix = millpond::server::UnixIncoming::bind(&path)?;
        let served = server.serve_with_incoming_shutdown(unix, echo::routes(), ended(stopped));
        let on_unix = tokio::spawn(served);
        talk("unix", Channel::unix(&path).connect().await?).await?;
        (path, on_unix)
    };

    // The server lets calls finish, closes its connections and ends.
    drop(stop);
    on_tcp.await??;
    #[cfg(unix)]
    {
        on_unix.await??;
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

/// Every kind of call.
async fn talk(socket: &str, channel: Channel) -> Result<(), BoxError> {
    let reply = GreeterClient::new(channel.clone()).say_hello(HelloRequest { name: "miller".into() }).await?;
    println!("{socket}: unary          {:?}", reply.into_inner().message);

    let mut echo = EchoClient::new(channel);
    let message = Msg { data: "the wheel turns".into() };
    let few = || tokio_stream::iter(vec![message.clone(); 3]);

    let mut answers = echo.server_stream(message.clone()).await?.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await? {
        assert_eq!(answer, message);
        count += 1;
    }
    println!("{socket}: server stream  {count} messages came");

    let joined = echo.client_stream(few()).await?.into_inner();
    println!("{socket}: client stream  {} octets came back as one", joined.data.len());

    let mut answers = echo.bidi(few()).await?.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await? {
        assert_eq!(answer, message);
        count += 1;
    }
    println!("{socket}: both ways      {count} messages came back");
    Ok(())
}

/// What idle connections cost; how many blocks they hold.
fn measure(connections: usize) -> Result<usize, BoxError> {
    // Longer than it takes an idle connection to rest.
    const REST: Duration = Duration::from_secs(3);
    println!(
        "\n{connections} idle connections after one call each: octets for each connection, one process for each side"
    );
    let mut table = idle::table();
    let mut blocks_out = 0;
    let subjects = [
        Subject::ours::<grpc::Millpond>(true),
        Subject::ours::<grpc::Millpond>(false),
        Subject::stock::<grpc::Tonic>(),
    ];
    for subject in subjects {
        let mut pair = Pair::start(&subject, connections, REST)?;
        pair.call(16)?;
        let costs = pair.count()?;
        blocks_out += costs.iter().map(|side| side.blocks_out).sum::<usize>();
        table.row(idle::row(&subject, costs));
    }
    println!("{table}");
    Ok(blocks_out)
}
