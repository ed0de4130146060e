//! When a connection rests: two drivers, polled by hand, on a socket of their own and a clock that waits for them.

use std::task::Waker;

use tokio::net::UnixStream;

use super::*;
use crate::readiness::Source;

const REST_AFTER: Duration = Duration::from_millis(200);

struct Pair([Driver<Source<UnixStream>>; 2]);

impl Pair {
    fn new() -> Self {
        let (client, server) = UnixStream::pair().unwrap();
        let config = Config::builder().rest_after(Some(REST_AFTER)).build().unwrap().shared();
        let driver = |io, side| Driver::new(Source::new(io), side, config.clone());
        Pair([driver(client, Side::Client), driver(server, Side::Server)])
    }

    /// What the server was asked.
    async fn request(&mut self) -> Incoming {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..5_000 {
            assert!(self.0[0].poll_drive(&mut cx).is_pending());
            if self.0[1].poll_drive(&mut cx).is_ready()
                && let Some(request) = self.0[1].next_request()
            {
                return request;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("no request comes");
    }

    /// Both ends speak until `done`.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..5_000 {
            for driver in &mut self.0 {
                assert!(driver.poll_drive(&mut cx).is_pending());
            }
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it does not come to that");
    }

    fn rest(&self) -> bool {
        self.0.iter().all(Driver::is_resting)
    }

    fn pinged(&self) -> bool {
        match &self.0[1].state.phase {
            Phase::Work(work) => work.post.connection.stats().rtt.is_some(),
            _ => true,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_waits_and_any_other_rests_at_once() {
    let mut pair = Pair::new();
    // Somebody could still send a request, else the connection would end.
    let _sender = crate::handle::SendRequest::new(pair.0[0].shared().clone());
    pair.until(Pair::rest).await;
    for _ in 0..SHORT_RESTS {
        assert!(pair.rest());
        pair.0[1].post().connection.ping();
        pair.until(Pair::pinged).await;
        if pair.0[1].state.short_rests < SHORT_RESTS {
            pair.until(Pair::rest).await;
        }
    }
    assert!(!pair.0[1].is_resting(), "busy");
    let began = tokio::time::Instant::now();
    pair.until(Pair::rest).await;
    assert!(began.elapsed() >= REST_AFTER / 2);
    tokio::time::sleep(REST_AFTER).await;
    pair.0[1].post().connection.ping();
    pair.until(Pair::rest).await;
    assert_eq!(pair.0[1].state.short_rests, 0, "a long rest begins the count anew");
}

#[tokio::test(start_paused = true)]
async fn one_whose_last_octets_are_read_late_rests_then() {
    let mut pair = Pair::new();
    let mut sender = crate::handle::SendRequest::new(pair.0[0].shared().clone());
    let request = http::Request::get("http://a/").body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let mut respond = pair.request().await.respond;
    let mut body = respond.send_response(http::Response::new(()), false).unwrap();
    body.send_data("abc".into(), true).unwrap();
    drop((body, respond));
    pair.until(|pair| pair.0[1].is_resting()).await;
    // And the client has read all that.
    let turns = std::cell::Cell::new(0);
    pair.until(|_| turns.replace(turns.get() + 1) == 50).await;
    let response = tokio::time::timeout(Duration::from_secs(5), response).await;
    let mut body = response.expect("an answer").unwrap().into_body();
    assert!(!pair.0[0].is_resting(), "something is unread");
    assert_eq!(body.data().await.unwrap().unwrap(), "abc");
    body.flow_control().release_capacity(3).unwrap();
    pair.until(Pair::rest).await;
}

#[test]
fn a_resting_connection_is_small() {
    assert!(size_of::<State>() <= 112, "{}", size_of::<State>());
}
