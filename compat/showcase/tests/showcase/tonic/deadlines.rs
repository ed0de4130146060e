//! Deadlines: the client's own, the one it tells the server, and the server's.

use std::time::{Duration, Instant};

use millpond_testkit::echo::{Msg, routes};
use tonic::metadata::MetadataValue;
use tonic::transport::Server;
use tonic::{Code, Request, Status};

use super::watched::Watched;
use super::{client, connect, endpoint, serve};
use crate::support::{Gauge, pattern, show, soon, until};

const SHORT: Duration = Duration::from_millis(150);

async fn watched(server: Server) -> (std::net::SocketAddr, Gauge) {
    let (service, _) = Watched::new();
    (serve(server, service.routes()).await, service.alive)
}

fn expect_timeout<T: std::fmt::Debug>(begun: Instant, answer: Result<T, Status>) {
    let status = answer.expect_err("it takes for ever");
    // tonic calls it a cancellation.
    assert_eq!((status.code(), status.message()), (Code::Cancelled, "Timeout expired"), "{status:?}");
    assert!(begun.elapsed() >= SHORT, "{:?}", begun.elapsed());
}

#[test]
fn a_deadline_of_one_call() {
    show(async {
        let (addr, handlers) = watched(Server::builder()).await;
        let mut client = client(addr).await;
        for _ in 0..3 {
            let mut request = Request::new(Msg::from(pattern(1000)));
            request.set_timeout(SHORT);
            let begun = Instant::now();
            expect_timeout(begun, soon(client.unary(request)).await);
            until(|| handlers.now() == 0).await;
        }
        client
    });
}

#[test]
fn a_deadline_of_the_channel() {
    show(async {
        let (addr, handlers) = watched(Server::builder()).await;
        let mut client = connect(endpoint(addr).timeout(SHORT)).await;
        let begun = Instant::now();
        expect_timeout(begun, soon(client.unary(Msg::default())).await);
        until(|| handlers.now() == 0).await;
        client
    });
}

#[test]
fn a_deadline_of_the_server() {
    show(async {
        let (addr, handlers) = watched(Server::builder().timeout(SHORT)).await;
        let mut client = client(addr).await;
        let begun = Instant::now();
        expect_timeout(begun, soon(client.unary(Msg::default())).await);
        until(|| handlers.now() == 0).await;
        client
    });
}

#[test]
fn what_is_in_time_is_answered() {
    show(async {
        let addr = serve(Server::builder().timeout(Duration::from_secs(10)), routes()).await;
        let mut client = connect(endpoint(addr).timeout(Duration::from_secs(10))).await;
        let mut request = Request::new(Msg::from(pattern(1000)));
        request.set_timeout(Duration::from_secs(5));
        request.metadata_mut().insert("x-delay-ms", MetadataValue::from_static("100"));
        let answer = soon(client.unary(request)).await.expect("it is in time");
        assert_eq!(answer.into_inner().data, pattern(1000));
        client
    });
}
