//! A server to load and to talk to, in plain HTTP/2 and in gRPC.
//!
//! ```text
//! cargo run --release --example echo_server -- --listen 127.0.0.1:50051 --unix /tmp/echo.sock
//! ```
//!
//! `GET /` is greeted, the body of `POST /echo` comes back as it comes, any other body is counted at `/sink`; the
//! services `echo.Echo` and `helloworld.Greeter` are gRPC. It prints `listening on ADDR` for each socket. SIGTERM and
//! Ctrl-C let calls finish first.

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use millpond::{Server, server::TcpIncoming};
use millpond_testkit::{echo, process};
use tokio::{sync::watch, task::JoinSet};
use tonic::{body::Body, service::Routes};
use tower::{Service, service_fn};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves HTTP/2 and gRPC with prior knowledge.
#[derive(Parser)]
struct Flags {
    /// Address of a TCP socket; port 0 lets the system choose [default, without --unix: 127.0.0.1:0].
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Path of a Unix socket; removed in the end.
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// Threads; 1 has no other threads at all [default: one for each processor].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Polls each handler on its connection's task first, or spawns it at once [default: polls with one thread].
    #[arg(long, action = clap::ArgAction::Set)]
    inline: Option<bool>,
    /// Seconds that calls may take to finish in the end.
    #[arg(long, default_value_t = 10)]
    grace: u64,
}

fn main() -> Result<ExitCode, BoxError> {
    let mut flags = Flags::parse();
    if flags.listen.is_empty() && flags.unix.is_none() {
        flags.listen.push(([127, 0, 0, 1], 0).into());
    }
    let mut runtime = match flags.threads {
        Some(1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(threads @ 2..) = flags.threads {
        runtime.worker_threads(threads.into());
    }
    runtime.enable_all().build()?.block_on(serve(flags))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(flags: Flags) -> Result<(), BoxError> {
    let (stop, stopped) = watch::channel(());
    // Before anything says that we listen, so that no signal is too early.
    let told_to_stop = told_to_stop()?;
    let end = || {
        let mut stopped = stopped.clone();
        async move { while stopped.changed().await.is_ok() {} }
    };

    let mut server = Server::builder().shutdown_grace(Duration::from_secs(flags.grace));
    if let Some(inline) = flags.inline {
        server = server.poll_handlers_inline(inline);
    }
    let routes = echo::routes();
    let service = service_fn(move |request| answer(routes.clone(), request));
    let mut serving = JoinSet::new();
    for address in flags.listen {
        let incoming = TcpIncoming::bind(address).await?;
        println!("listening on {}", incoming.local_addr()?);
        serving.spawn(server.clone().serve_with_incoming_shutdown(incoming, service.clone(), end()));
    }
    #[cfg(unix)]
    if let Some(path) = &flags.unix {
        let incoming = millpond::server::UnixIncoming::bind(path)?;
        println!("listening on unix:{}", path.display());
        serving.spawn(server.serve_with_incoming_shutdown(incoming, service, end()));
    }

    let outcome = tokio::select! {
        () = told_to_stop => Ok(()),
        () = parent_gone() => Ok(()),
        // Sockets are served until we say so, unless they fail.
        Some(ended) = serving.join_next() => ended?.map_err(BoxError::from),
    };
    drop(stop);
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    #[cfg(unix)]
    if let Some(path) = &flags.unix {
        std::fs::remove_file(path)?;
    }
    outcome
}

/// SIGTERM or SIGINT, heard from this call on.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
}

/// Waits for the end of standard input, if whoever started us asked for that.
async fn parent_gone() {
    if std::env::var_os(process::ENDS_WITH_STDIN).is_none() {
        return std::future::pending().await;
    }
    let (gone, wait) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: a runtime that ends would wait for one of its own threads.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(gone);
    });
    let _ = wait.await;
}

async fn answer(mut routes: Routes, request: Request<millpond::Body>) -> Result<Response<Body>, BoxError> {
    let path = request.uri().path();
    if path.starts_with("/echo.Echo/") || path.starts_with("/helloworld.Greeter/") {
        return Ok(routes.call(request).await?);
    }
    match (request.method(), path) {
        (&Method::GET, "/") => Ok(text("hello\n")),
        (&Method::POST, "/echo") => Ok(Response::new(Body::new(request.into_body()))),
        (_, "/sink") => {
            let mut octets = 0;
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await.transpose()? {
                octets += frame.data_ref().map_or(0, |data| data.len());
            }
            Ok(text(format!("received {octets} octets\n")))
        }
        _ => {
            let mut response = text("not found\n");
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
    }
}

fn text(text: impl Into<bytes::Bytes>) -> Response<Body> {
    Response::new(Body::new(Full::new(text.into())))
}
