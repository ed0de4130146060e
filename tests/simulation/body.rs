//! How the tasks of both sides send and read a body, as the script says.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::Body as _;
use millpond::{
    Error,
    handle::{FlowControl, RecvStream, SendStream},
};

use crate::{
    executor::pause,
    ledger::Entry,
    script::{Body, End, Pace, Reader, Release, Rest, Stop},
    world::{RESET, World},
};

/// Sends a body. An error is why it could not.
pub async fn send(world: &World, mut stream: SendStream, body: &Body, books: &Entry) -> Result<(), Error> {
    let last = body.chunks.len().checked_sub(1);
    for (place, chunk) in body.chunks.iter().enumerate() {
        match body.rest {
            Rest::None => {}
            Rest::Pause => pause().await,
            Rest::Sleep(milliseconds) => world.sleep(milliseconds).await,
            Rest::Still(before) if before == place => world.0.handle.still().await,
            Rest::Still(_) => {}
        }
        let mut left = *chunk;
        let ends = Some(place) == last && body.end == End::Last;
        loop {
            let part = match body.pace {
                Pace::Nothing => left,
                Pace::Room => {
                    world.on(poll_fn(|cx| stream.poll_room(cx))).await?;
                    left
                }
                Pace::Capacity if left == 0 => 0,
                Pace::Capacity => {
                    stream.reserve_capacity(left);
                    if stream.capacity() == 0 {
                        match world.on(poll_fn(|cx| poll_capacity(&mut stream, cx))).await {
                            None => panic!("the stream was not ended"),
                            Some(capacity) => drop(capacity?),
                        }
                    }
                    left.min(stream.capacity())
                }
            };
            left -= part;
            let end = ends && left == 0;
            stream.send_data(books.next(part), end)?;
            books.sent(part);
            if end {
                books.ended(false);
            }
            if left == 0 {
                break;
            }
        }
    }
    match body.end {
        End::Last if last.is_some() => {}
        End::Last | End::Empty => {
            stream.send_data(Bytes::new(), true)?;
            books.ended(false);
        }
        End::Trailers => {
            stream.send_trailers(HeaderMap::from_iter([(SUM, books.sum())]))?;
            books.ended(true);
        }
        End::Reset => {
            books.spoil();
            stream.send_reset(RESET);
        }
        End::Drop => books.spoil(),
    }
    Ok(())
}

/// How many octets came before the trailers.
const SUM: HeaderName = HeaderName::from_static("sum");

/// As hyper waits: for capacity, and for a reset.
fn poll_capacity(stream: &mut SendStream, cx: &mut Context<'_>) -> Poll<Option<Result<usize, Error>>> {
    if let Poll::Ready(reset) = stream.poll_reset(cx) {
        return Poll::Ready(Some(Err(reset.map_or_else(|error| error, |_| failure(stream, cx)))));
    }
    stream.poll_capacity(cx)
}

/// Why the stream failed.
fn failure(stream: &mut SendStream, cx: &mut Context<'_>) -> Error {
    match stream.poll_capacity(cx) {
        Poll::Ready(Some(Err(error))) => error,
        other => panic!("reset, and yet {other:?}"),
    }
}

/// Reads a body to its end, or as far as the script says.
pub async fn read(
    world: &World,
    side: usize,
    mut stream: RecvStream,
    plan: &Reader,
    books: &Entry,
) -> Result<(), Error> {
    let mut flow = Debt { world: world.clone(), side, flow: stream.flow_control().clone(), octets: 0 };
    let mut stop = plan.stop;
    let mut octets = 0;
    loop {
        if let Some((at, what)) = stop
            && octets >= at
        {
            stop = None;
            match what {
                Stop::Wait => world.0.handle.still().await,
                Stop::Drop => {
                    drop(stream);
                    books.let_go();
                    return Ok(());
                }
                Stop::KeepFlow => {
                    drop(stream);
                    books.let_go();
                    world.0.handle.still().await;
                    return Ok(());
                }
            }
        }
        let stills = world.0.handle.stills();
        let next = world.on(poll_fn(|cx| {
            // What is unreleased is released when nothing moves: the peer may wait for just that.
            if flow.octets > 0 && world.0.handle.poll_still(cx, stills).is_ready() {
                flow.release();
            }
            match plan.release {
                Release::AsBody => poll_body(&mut stream, cx),
                _ => stream.poll_data(cx).map(|data| data.transpose().map(|data| data.map(Next::Data))),
            }
        }));
        let found = match next.await? {
            Some(Next::Data(found)) => found,
            Some(Next::Trailers(trailers)) => {
                books.arrived(Some(&trailers[SUM]));
                return Ok(());
            }
            None => break,
        };
        let _held = Held::new(world, side, found.len());
        books.received(&found);
        octets += found.len() as u64;
        match plan.release {
            Release::AtOnce => {
                flow.add(found.len());
                flow.release();
            }
            Release::AsBody => {}
            Release::Late(most) => {
                flow.add(found.len());
                if flow.octets > most {
                    flow.release();
                }
            }
        }
        if plan.pause > 0 {
            let pause = world.0.random.borrow_mut().u64(0..=plan.pause);
            world.sleep(pause).await;
        }
    }
    let trailers = match plan.release {
        Release::AsBody => None,
        _ => world.on(stream.trailers()).await?,
    };
    assert!(stream.is_end_stream(), "nothing is left and yet it is not the end");
    books.arrived(trailers.as_ref().map(|trailers| &trailers[SUM]));
    Ok(())
}

enum Next {
    Data(Bytes),
    Trailers(HeaderMap),
}

fn poll_body(stream: &mut RecvStream, cx: &mut Context<'_>) -> Poll<Result<Option<Next>, Error>> {
    Pin::new(stream).poll_frame(cx).map(|frame| {
        let Some(frame) = frame.transpose()? else { return Ok(None) };
        Ok(Some(match frame.into_data() {
            Ok(data) => Next::Data(data),
            Err(frame) => Next::Trailers(frame.into_trailers().expect("a frame is the one or the other")),
        }))
    })
}

/// Says when the reader of a message is gone, wherever it stands.
pub struct Reading(pub Entry);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.gone();
    }
}

/// What was read and is not released.
struct Debt {
    world: World,
    side: usize,
    flow: FlowControl,
    octets: usize,
}

impl Debt {
    fn add(&mut self, octets: usize) {
        self.octets += octets;
        let owed = &self.world.0.owed[self.side];
        owed.set(owed.get() + octets);
    }

    /// Those octets are dealt with, or nobody will ever deal with them.
    fn settle(&mut self) -> usize {
        let octets = std::mem::take(&mut self.octets);
        let owed = &self.world.0.owed[self.side];
        owed.set(owed.get() - octets);
        octets
    }

    fn release(&mut self) {
        let octets = self.settle();
        self.flow.release_capacity(octets).expect("so much was received");
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.settle();
    }
}

/// Octets in the hands of the application.
struct Held(World, usize, usize);

impl Held {
    fn new(world: &World, side: usize, octets: usize) -> Self {
        let held = &world.0.held[side];
        held.set(held.get() + octets);
        Held(world.clone(), side, octets)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = &self.0.0.held[self.1];
        held.set(held.get() - self.2);
    }
}
