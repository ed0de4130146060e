//! Mailboxes, the ready queue and the slots in every order of their threads' steps, with a driver that does only what
//! concerns them (`docs/models.md`).
//!
//! Always true here: whatever the order, what was put in is heard of, once, and who waits is woken. A wake-up that is
//! lost leaves a thread asleep for ever, which ends the model.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::Response;
use loom::future::block_on;

use crate::{
    buffer::{BufferPool, Piece, PoolOptions},
    config::Config,
    connection::{ConnectionStats, Side},
    error::{Error, ErrorCode, Origin},
    sync::{explore, join, spawn},
};

use super::{
    Delivered, Mailbox, Ping, RecvStream, ResponseFuture, SendRequest, SendStream, Shared,
    mailbox::{Hear, State},
};

/// A connection whose peer takes `streams` at once.
fn connection(streams: u32) -> Arc<Shared> {
    let pool = BufferPool::new(PoolOptions { max_idle: 0, decay: None });
    let config = Config::builder().pool(pool).initial_max_send_streams(streams).build();
    let shared = Shared::new(Arc::new(config.unwrap()), Side::Client, None);
    // Every atomic was used before any thread begins.
    assert_eq!(shared.take_returned(), 0);
    shared.set_congested(false);
    shared.note_window(u32::MAX);
    shared
}

/// A stream of it that the driver knows.
fn call(shared: &Arc<Shared>) -> (Arc<Mailbox>, ResponseFuture, SendStream) {
    let request = http::Request::get("http://a/").body(()).unwrap();
    let (response, send) = SendRequest::new(shared.clone()).send_request(request, false).unwrap();
    let mailbox = hear(shared).pop().unwrap();
    let mut state = mailbox.lock();
    state.opened = true;
    state.outbox.queue = Default::default();
    drop(state);
    (mailbox, response, send)
}

/// What the driver does first: takes the queue, in which nobody stands twice.
fn hear(shared: &Shared) -> Vec<Arc<Mailbox>> {
    let queue = {
        let mut ready = shared.lock();
        ready.driver_is_awake();
        ready.wishes.unused = false;
        std::mem::take(&mut ready.queue)
    };
    for mailbox in &queue {
        let was_queued = std::mem::replace(&mut mailbox.lock().queued, false);
        assert!(was_queued, "stands in the queue twice, or without saying so");
    }
    queue
}

/// Works as a driver does until `work` says that it has heard all: whenever it is woken, and before it sleeps.
fn drive(shared: &Shared, mut work: impl FnMut(&Mailbox) -> bool) {
    block_on(poll_fn(|cx| {
        loop {
            if hear(shared).iter().any(|mailbox| work(mailbox)) {
                return Poll::Ready(());
            }
            if shared.sleep(cx, ConnectionStats::default()) {
                return Poll::Pending;
            }
        }
    }));
}

/// The driver changes a mailbox for the reader.
fn post(mailbox: &Mailbox, change: impl FnOnce(&mut State)) {
    let mut state = mailbox.lock();
    change(&mut state);
    let waker = state.inbox.waker.take();
    drop(state);
    waker.into_iter().for_each(Waker::wake);
}

fn failure() -> Error {
    Error::reset(Origin::Peer, ErrorCode::CANCEL)
}

#[test]
fn what_two_handles_send_is_heard() {
    explore(3, || {
        let shared = connection(1);
        let (mailbox, response, mut send) = call(&shared);
        let sender = spawn(move || send.send_data(Bytes::from_static(b"abc"), false).unwrap());
        let reader = spawn(move || drop(response));
        let (mut octets, mut handles) = (0, u32::MAX);
        drive(&shared, |mailbox| {
            let mut state = mailbox.lock();
            octets += std::mem::take(&mut state.outbox.queue).data_octets();
            handles = state.handles;
            octets == 3 && handles == 0
        });
        join([sender, reader]);
        // It may stand in the queue for what was heard already, once.
        let queued = mailbox.lock().queued;
        assert_eq!(hear(&shared).len(), usize::from(queued));
        assert!(mailbox.lock().outbox.queue.is_empty());
    });
}

#[test]
fn every_stream_is_heard() {
    explore(2, || {
        let shared = connection(2);
        let streams = [call(&shared), call(&shared)];
        let senders = streams
            .map(|(_, _, mut send)| spawn(move || send.send_data(Bytes::from_static(b"abc"), true).unwrap()));
        let mut octets = 0;
        drive(&shared, |mailbox| {
            octets += std::mem::take(&mut mailbox.lock().outbox.queue).data_octets();
            octets == 6
        });
        join(senders);
    });
}

#[test]
fn a_reader_hears_the_head_the_octets_and_the_end() {
    explore(3, || {
        let shared = connection(1);
        let (mailbox, response, _send) = call(&shared);
        let reader = spawn(move || {
            let mut body: RecvStream = block_on(response).unwrap().into_body();
            let octets = block_on(body.data()).unwrap().unwrap();
            assert_eq!(octets, "abc");
            assert!(block_on(body.data()).is_none());
            assert!(block_on(body.trailers()).unwrap().is_none());
        });
        post(&mailbox, |state| state.inbox.answer.put_head(Response::new(())));
        let pool = &shared.config.pool;
        post(&mailbox, |state| {
            assert!(matches!(state.deliver(Piece::copied(b"abc"), pool), Delivered::Queued))
        });
        post(&mailbox, |state| state.inbox.ended = true);
        join([reader]);
    });
}

#[test]
fn a_writer_hears_of_capacity_and_of_failure() {
    explore(3, || {
        let shared = connection(1);
        let (mailbox, _response, mut send) = call(&shared);
        let writer = spawn(move || {
            // After the failure nothing can be sent, whatever was granted.
            if let Some(Ok(octets)) = block_on(poll_fn(|cx| send.poll_capacity(cx))) {
                assert_eq!(octets, 5);
            }
            assert!(block_on(poll_fn(|cx| send.poll_reset(cx))).is_ok());
        });
        let tell = |change: fn(&mut State)| {
            let mut state = mailbox.lock();
            change(&mut state);
            let waker = state.outbox.waker.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        };
        tell(|state| {
            state.outbox.capacity += 5;
            state.outbox.capacity_grew = true;
        });
        tell(|state| drop(state.fail(failure())));
        join([writer]);
    });
}

#[test]
fn octets_that_nobody_reads_are_released_once() {
    explore(3, || {
        let shared = connection(1);
        let (mailbox, response, _send) = call(&shared);
        mailbox.lock().inbox.answer.put_head(Response::new(()));
        let reader = spawn(move || {
            let mut body = block_on(response).unwrap().into_body();
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(Some(Ok(octets))) = body.poll_data(&mut cx) {
                body.flow_control().release_capacity(octets.len()).unwrap();
            }
        });
        let mut discarded = 0;
        for _ in 0..2 {
            let mut state = mailbox.lock();
            if let Delivered::Discarded { octets } = state.deliver(Piece::copied(b"abc"), &shared.config.pool)
            {
                discarded += octets;
            }
        }
        join([reader]);
        let mut state = mailbox.lock();
        assert!(state.queued && state.inbox.pieces.is_empty());
        assert_eq!(discarded + state.inbox.released as usize, 6, "the stream's window");
        assert_eq!(discarded + shared.take_returned(), 6, "the connection's window");
        assert_eq!(std::mem::take(&mut state.inbox.unreleased), 0);
    });
}

/// While the peer is held back the driver is woken for every release.
#[test]
fn a_congested_driver_hears_of_releases() {
    explore(3, || {
        let shared = connection(1);
        let readers = [1, 2].map(|octets| {
            let shared = shared.clone();
            spawn(move || shared.give_back(octets))
        });
        let mut returned = 0;
        block_on(poll_fn(|cx| {
            loop {
                returned += shared.take_returned();
                if returned == 3 {
                    return Poll::Ready(());
                }
                shared.lock().driver_is_awake();
                shared.set_congested(true);
                if shared.sleep(cx, ConnectionStats::default()) {
                    return Poll::Pending;
                }
            }
        }));
        join(readers);
    });
}

/// One who is called for a slot goes; the next is called.
#[test]
fn a_slot_is_passed_on() {
    explore(3, || {
        let shared = connection(1);
        let mut holder = SendRequest::new(shared.clone());
        assert!(holder.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
        let requests = [0, 1].map(|_| SendRequest::new(shared.clone()));
        let [mut fickle, patient] = requests;
        let fickle = spawn(move || {
            block_on(poll_fn(|cx| {
                let _ = fickle.poll_ready(cx);
                Poll::Ready(())
            }));
        });
        let patient = spawn(move || drop(block_on(patient.ready()).unwrap()));
        drop(holder);
        join([fickle, patient]);
        let mut ready = shared.lock();
        assert!(std::mem::take(&mut ready.wishes.unused), "the last went unheard");
    });
}

/// The driver frees a slot while a waiter comes and another goes.
#[test]
fn a_freed_slot_reaches_one_that_waits() {
    explore(3, || {
        let shared = connection(0);
        let waiters = [0, 1].map(|_| {
            let request = SendRequest::new(shared.clone());
            spawn(move || drop(block_on(request.ready()).unwrap()))
        });
        shared.free_slots(1);
        join(waiters);
    });
}

/// The peer's SETTINGS take one stream more than was thought.
#[test]
fn a_slot_of_the_peers_settings_reaches_one_that_waits() {
    explore(3, || {
        let shared = connection(0);
        let waiters = [0, 1].map(|_| {
            let request = SendRequest::new(shared.clone());
            spawn(move || drop(block_on(request.ready()).unwrap()))
        });
        shared.set_remote_settings(1, false);
        join(waiters);
    });
}

#[test]
fn who_waits_for_a_slot_hears_of_the_end() {
    explore(3, || {
        let shared = connection(0);
        let waiters = [0, 1].map(|_| {
            let request = SendRequest::new(shared.clone());
            spawn(move || drop(block_on(request.ready()).unwrap_err()))
        });
        shared.end(failure());
        join(waiters);
    });
}

#[test]
fn a_ping_is_heard_and_its_answer_too() {
    explore(3, || {
        let shared = connection(1);
        let asker = {
            let shared = shared.clone();
            spawn(move || {
                shared.send_ping().unwrap();
                block_on(poll_fn(|cx| shared.poll_pong(cx))).unwrap();
            })
        };
        block_on(poll_fn(|cx| {
            loop {
                let mut ready = shared.lock();
                ready.driver_is_awake();
                if ready.wishes.ping == Ping::Wanted {
                    ready.wishes.ping = Ping::InFlight;
                    return Poll::Ready(());
                }
                drop(ready);
                if shared.sleep(cx, ConnectionStats::default()) {
                    return Poll::Pending;
                }
            }
        }));
        shared.answer_ping();
        join([asker]);
    });
}

#[test]
fn a_ping_hears_that_the_driver_is_gone() {
    explore(3, || {
        let shared = connection(1);
        let asker = {
            let shared = shared.clone();
            spawn(move || {
                if shared.send_ping().is_ok() {
                    assert!(block_on(poll_fn(|cx| shared.poll_pong(cx))).is_err());
                }
            })
        };
        shared.close(failure());
        join([asker]);
    });
}

/// What comes when the driver has gone is let go: a mailbox in a queue that nobody reads would hold the queue.
#[test]
fn nothing_stays_in_the_queue_of_a_driver_that_is_gone() {
    explore(3, || {
        let shared = connection(1);
        let weak = Arc::downgrade(&shared);
        let (mailbox, response, mut send) = call(&shared);
        let writer = spawn(move || {
            let _ = send.send_data(Bytes::from_static(b"abc"), false);
        });
        let reader = spawn(move || drop(response));
        for mailbox in shared.close(failure()).into_iter().chain([mailbox]) {
            let mut state = mailbox.lock();
            (state.queued, state.closed) = (false, true);
            let unsent = state.fail(failure());
            drop(state);
            drop(unsent);
        }
        drop(shared);
        join([writer, reader]);
        assert!(weak.upgrade().is_none(), "the mailbox and the queue hold each other");
    });
}

/// A wish that concerns nobody is not told, one that does is told once.
#[test]
fn a_mailbox_is_queued_once() {
    explore(3, || {
        let shared = connection(1);
        let (mailbox, _response, _send) = call(&shared);
        let tellers = [0, 1].map(|_| {
            let mailbox = mailbox.clone();
            spawn(move || mailbox.tell(|_| ((), Hear::Wish)))
        });
        mailbox.tell(|_| ((), Hear::Nothing));
        assert!(hear(&shared).len() <= 1);
        join(tellers);
        let queued = mailbox.lock().queued;
        assert_eq!(hear(&shared).len(), usize::from(queued));
    });
}
