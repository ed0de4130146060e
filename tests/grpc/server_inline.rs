//! Where handlers run first: on the connection's task, or on their own.

use std::{
    collections::HashSet,
    convert::Infallible,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use millpond::{Body, Server};
use tokio::task;

use crate::{
    tools::call,
    world::{Served, quiet, run_here, run_on_threads},
};

const CALLS: usize = 200;

/// As in the server; more would keep other tasks waiting.
const AT_ONCE: usize = 64;

/// On how many tasks these many handlers ran, and how many at most without another task between them.
async fn serve(server: Server) -> (usize, usize) {
    let tasks = Arc::new(Mutex::new(HashSet::new()));
    let served = Arc::new(AtomicUsize::new(0));
    let service = {
        let (tasks, served) = (tasks.clone(), served.clone());
        tower::service_fn(move |_: Request<Body>| {
            let (tasks, served) = (tasks.clone(), served.clone());
            async move {
                tasks.lock().unwrap().insert(task::id());
                served.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        })
    };
    let running = Served::start(server, service).await;
    let (channel, pool) = running.channel();
    let channel = channel.connect().await.unwrap();
    let calls = (0..CALLS).map(|_| {
        let channel = channel.clone();
        task::spawn(async move {
            let request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
            call(&channel, request).await.map(drop)
        })
    });
    let calls: Vec<_> = calls.collect();
    let (mut seen, mut most) = (0, 0);
    // Stands in the same queue as the connection, which `yield_now` would not.
    let neighbour = task::spawn(poll_fn(move |cx| {
        let now = served.load(Ordering::SeqCst);
        most = most.max(now - seen);
        seen = now;
        cx.waker().wake_by_ref();
        if seen < CALLS { Poll::Pending } else { Poll::Ready(most) }
    }));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let most = neighbour.await.unwrap();
    drop(channel);
    running.finish().await;
    quiet(&pool).await;
    let tasks = tasks.lock().unwrap().len();
    (tasks, most)
}

#[test]
fn on_one_thread_handlers_are_polled_on_the_connections_task_and_leave_others_their_turn() {
    run_here(async {
        let (tasks, most) = serve(Server::builder()).await;
        assert_eq!(tasks, 1);
        assert!(most <= AT_ONCE, "{most}");
    });
}

#[test]
fn on_many_threads_and_where_it_is_asked_for_each_has_a_task() {
    run_on_threads(async { assert_eq!(serve(Server::builder()).await.0, CALLS) });
    run_here(async { assert_eq!(serve(Server::builder().poll_handlers_inline(false)).await.0, CALLS) });
    run_on_threads(async { assert_eq!(serve(Server::builder().poll_handlers_inline(true)).await.0, 1) });
}
