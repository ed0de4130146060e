//! The client's side of a simulation: its driver, and the tasks that hold its handles.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
};

use http::{HeaderValue, Request};
use millpond::{
    Error, Protocol, client,
    error::Mistake,
    handle::{PingPong, ResponseFuture, SendRequest, SendStream},
};

use crate::{
    body::{self, Reading},
    control::{self, Wishes},
    executor::{Kind, pause},
    network::Socket,
    script::{Call, Method, What},
    world::World,
};

/// Starts the driver, the callers and whoever else speaks for the client.
pub fn begin(world: &World, socket: Socket) {
    let config = world.0.script.options[0].config(&world.0.pools[0]);
    let handle = &world.0.handle;
    let (sender, mut connection) = client::handshake_with(socket, config);
    if world.0.script.pings > 0 {
        handle.spawn(Kind::Application, "pinger".into(), None, ping(world.clone(), connection.ping_pong()));
    }
    for (number, calls) in world.0.script.callers.iter().enumerate() {
        let caller = call_all(world.clone(), sender.clone(), calls.clone());
        handle.spawn(Kind::Application, format!("caller {number}"), None, caller);
    }
    let wishes = Rc::new(RefCell::new(Wishes::default()));
    control::begin(world, 0, &wishes, Some(sender));
    let own = world.clone();
    handle.spawn(Kind::Driver, "client".into(), None, async move {
        let mut connection = Some(connection);
        let outcome = poll_fn(|cx| {
            for what in wishes.borrow_mut().take(cx) {
                let Some(connection) = &mut connection else { break };
                match what {
                    What::Window(octets) => connection.set_initial_window_size(octets),
                    What::Target(octets) => connection.set_target_window_size(octets),
                    What::Abrupt => connection.abrupt_shutdown(crate::world::RESET),
                    What::Graceful => {}
                    What::DropDriver => return Poll::Ready(None),
                }
            }
            let connection = connection.as_mut().expect("it is dropped at the end");
            let ended = Pin::new(&mut *connection).poll(cx);
            own.0.stats[0].set(Some(connection.stats()));
            ended.map(Some)
        })
        .await;
        drop(connection.take());
        own.0.stats[0].set(None);
        own.log(|| format!("client: {outcome:?}"));
        if let Some(Err(error)) = outcome {
            assert!(own.0.broken.get(), "the client's connection failed: {error} ({error:?})");
        }
        wishes.borrow_mut().close();
    });
}

/// PINGs, one after the other.
async fn ping(world: World, mut ping: PingPong) {
    for _ in 0..world.0.script.pings {
        if let Err(error) = world.on(ping.ping()).await {
            let over = world.0.broken.get() || error.is_unprocessed() || error.is_go_away();
            return assert!(over, "a PING failed: {error} ({error:?})");
        }
        pause().await;
    }
}

/// One call after the other.
async fn call_all(world: World, mut sender: SendRequest, calls: Vec<Call>) {
    for call in calls {
        if call.delay > 0 {
            world.sleep(call.delay).await;
        }
        if let Err(error) = begin_call(&world, &mut sender, &call).await {
            world.judge(call.number, false, &error);
        }
    }
}

async fn begin_call(world: &World, sender: &mut SendRequest, call: &Call) -> Result<(), Error> {
    if call.waits || call.method == Method::Connect {
        world.on(poll_fn(|cx| sender.poll_ready(cx))).await?;
    }
    if call.method == Method::Connect && !sender.is_extended_connect_protocol_enabled() {
        // The server has not said yet that it takes one.
        world.books(call.number).spoil();
        return Ok(());
    }
    let end = !call.has_body();
    let (response, stream) = match sender.send_request(head(call), end) {
        Err(error) if error.mistake() == Some(Mistake::NotReady) => {
            world.on(poll_fn(|cx| sender.poll_ready(cx))).await?;
            sender.send_request(head(call), end)?
        }
        sent => sent?,
    };
    world.log(|| format!("call {}: stream {}", call.number, response.stream_id().value()));
    let books = world.books(call.number);
    let [writer, reader, ..] = call.lives;
    if writer.is_some() || reader.is_some() || call.forgets_response {
        books.spoil();
    }
    let spawn = |name: &str, life, work: Pin<Box<dyn Future<Output = ()>>>| {
        world.0.handle.spawn(Kind::Application, format!("{name} {}", call.number), life, work);
    };
    if end {
        books.request.ended(false);
        drop(stream);
    } else {
        spawn("request", writer, Box::pin(write(world.clone(), call.clone(), stream)));
    }
    let reading = Reading(books.response.clone());
    if !call.forgets_response {
        spawn("response", reader, Box::pin(read(world.clone(), call.clone(), response, reading)));
    }
    Ok(())
}

async fn write(world: World, call: Call, stream: SendStream) {
    let books = world.books(call.number);
    let sent = body::send(&world, stream, &call.request, &books.request).await;
    // Who gives up its request gives up the call.
    if books.request.is_spoiled() && sent.is_ok() {
        books.spoil();
    }
    if let Err(error) = sent {
        world.judge(call.number, books.request.is_spoiled(), &error);
    }
}

async fn read(world: World, call: Call, response: ResponseFuture, _reading: Reading) {
    let books = world.books(call.number);
    if let Err(error) = read_response(&world, &call, response).await {
        world.judge(call.number, books.response.is_spoiled(), &error);
    }
    if books.response.is_spoiled() && !books.response.has_arrived() {
        books.spoil();
    }
}

async fn read_response(world: &World, call: &Call, mut response: ResponseFuture) -> Result<(), Error> {
    let books = world.books(call.number);
    let mut informational = 0;
    while call.waits_for_informational
        && let Some(head) = world.on(poll_fn(|cx| response.poll_informational(cx))).await
    {
        assert_eq!(head?.status(), 103);
        informational += 1;
    }
    assert!(informational <= call.informational, "more informational responses than were sent");
    let response = world.on(response).await?;
    assert_eq!(response.status(), 200);
    let field = response.headers().get("field").map_or(0, HeaderValue::len);
    assert_eq!(field, call.fields[1], "the response's field");
    body::read(world, 0, response.into_body(), &call.readers[1], &books.response).await
}

fn head(call: &Call) -> Request<()> {
    let method = match call.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Connect => http::Method::CONNECT,
    };
    let mut head = Request::builder().method(method).uri(format!("http://pond/{}", call.number));
    if call.fields[0] > 0 {
        head = head.header("field", "f".repeat(call.fields[0]));
    }
    if let Some((urgency, incremental)) = call.priority {
        head = head.header("priority", format!("u={urgency}{}", if incremental { ", i" } else { "" }));
    }
    if call.method == Method::Connect {
        head = head.extension(Protocol::from_static("websocket"));
    }
    head.body(()).expect("a sound head")
}
