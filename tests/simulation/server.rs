//! The server's side of a simulation: its driver, and the tasks that hold its handles.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::Poll,
};

use http::{HeaderValue, Request, Response};
use millpond::{
    Error,
    handle::{RecvStream, SendResponse},
    server,
};

use crate::{
    body::{self, Reading},
    control::{self, Wishes},
    executor::{Kind, pause},
    network::Socket,
    script::{Answer, Call, What},
    world::{RESET, World},
};

/// Starts the driver, which starts a handler for each request.
pub fn begin(world: &World, socket: Socket) {
    let config = world.0.script.options[1].config(&world.0.pools[1]);
    let mut connection = Some(server::handshake_with(socket, config));
    let wishes = Rc::new(RefCell::new(Wishes::default()));
    control::begin(world, 1, &wishes, None);
    let world = world.clone();
    let handle = world.0.handle.clone();
    handle.spawn(Kind::Driver, "server".into(), None, async move {
        loop {
            let next = poll_fn(|cx| {
                for what in wishes.borrow_mut().take(cx) {
                    let Some(connection) = &mut connection else { break };
                    match what {
                        What::Window(octets) => connection.set_initial_window_size(octets),
                        What::Target(octets) => connection.set_target_window_size(octets),
                        What::Graceful => connection.graceful_shutdown(),
                        What::Abrupt => connection.abrupt_shutdown(RESET),
                        What::DropDriver => return Poll::Ready(None),
                    }
                }
                let connection = connection.as_mut().expect("it is dropped at the end");
                let next = connection.poll_accept(cx);
                world.0.stats[1].set(Some(connection.stats()));
                next
            });
            match next.await {
                Some(Ok((request, respond))) => accept(&world, request, respond),
                Some(Err(error)) => {
                    world.log(|| format!("server: {error} ({error:?})"));
                    assert!(world.0.broken.get(), "the server's connection failed: {error} ({error:?})");
                }
                None => break,
            }
        }
        world.log(|| "server: over".into());
        drop(connection.take());
        world.0.stats[1].set(None);
        wishes.borrow_mut().close();
    });
}

fn accept(world: &World, request: Request<RecvStream>, respond: SendResponse) {
    world.0.handle.gain();
    let number = request.uri().path()[1..].parse().expect("a path of ours");
    let (call, books) = (world.call(number).clone(), world.books(number));
    assert!(!books.seen.replace(true), "call {number} came twice");
    let field = request.headers().get("field").map_or(0, HeaderValue::len);
    assert_eq!(field, call.fields[0], "the request's field");
    let [.., handler, reader] = call.lives;
    if handler.is_some() || reader.is_some() {
        books.spoil();
    }
    let was_read = Rc::new(Cell::new(false));
    let reader_lives = Reading(books.request.clone());
    let reading = read(world.clone(), call.clone(), request.into_body(), was_read.clone(), reader_lives);
    world.0.handle.spawn(Kind::Application, format!("server reads {number}"), reader, reading);
    let answering = answer(world.clone(), call, respond, was_read);
    world.0.handle.spawn(Kind::Application, format!("server answers {number}"), handler, answering);
}

async fn read(world: World, call: Call, stream: RecvStream, was_read: Rc<Cell<bool>>, _reading: Reading) {
    let books = world.books(call.number);
    if let Err(error) = body::read(&world, 1, stream, &call.readers[0], &books.request).await {
        world.judge(call.number, books.request.is_spoiled(), &error);
    }
    was_read.set(true);
}

async fn answer(world: World, call: Call, mut respond: SendResponse, was_read: Rc<Cell<bool>>) {
    let books = world.books(call.number);
    match call.answer {
        Answer::AtOnce => {}
        Answer::Sleep(milliseconds) => world.sleep(milliseconds).await,
        // Somebody else reads it; that is heard of when nothing moves at the latest.
        Answer::AfterRequest => {
            for _ in 0..100 {
                if !was_read.get() {
                    pause().await;
                }
            }
            if !was_read.get() {
                world.0.handle.still().await;
            }
        }
        Answer::Still => world.0.handle.still().await,
        Answer::Refuse => {
            books.spoil();
            return respond.send_reset(RESET);
        }
        Answer::Drop => return books.spoil(),
    }
    if let Err(error) = send(&world, &call, &mut respond).await {
        world.judge(call.number, books.response.is_spoiled(), &error);
    }
    if books.response.is_spoiled() {
        books.spoil();
    }
}

async fn send(world: &World, call: &Call, respond: &mut SendResponse) -> Result<(), Error> {
    for _ in 0..call.informational {
        respond.send_informational(Response::builder().status(103).body(()).expect("a sound head"))?;
        pause().await;
    }
    let mut head = Response::builder().status(200);
    if call.fields[1] > 0 {
        head = head.header("field", "f".repeat(call.fields[1]));
    }
    let stream = respond.send_response(head.body(()).expect("a sound head"), false)?;
    body::send(world, stream, &call.response, &world.books(call.number).response).await
}
