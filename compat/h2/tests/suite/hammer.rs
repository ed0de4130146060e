//! Many exchanges, many tasks, more than one thread: nothing is lost and nobody waits for ever.

use bytes::Bytes;
use http::HeaderMap;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::super::h2::{client, server};
use super::endpoint::{get, post, read_all, status};
use crate::mock::within;

const URI: &str = "https://example.com/";

/// Answers every request of a connection, at once and from the task of the connection.
async fn serve(io: TcpStream) {
    io.set_nodelay(true).unwrap();
    let mut connection = server::handshake(io).await.unwrap();
    while let Some(request) = connection.accept().await {
        let (_, mut respond) = request.unwrap();
        let mut send = respond.send_response(status(200), false).unwrap();
        send.send_data(Bytes::from_static(b"hello world!"), true).unwrap();
    }
}

/// A connection for each request; the request ends before the connection has its task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            tokio::spawn(serve(listener.accept().await.unwrap().0));
        }
    });
    for _ in 0..1000 {
        let io = TcpStream::connect(address).await.unwrap();
        io.set_nodelay(true).unwrap();
        let (mut client, connection) = client::handshake(io).await.unwrap();
        let (answer, mut send) = client.send_request(get(URI), false).unwrap();
        send.send_trailers(HeaderMap::new()).unwrap();
        let connection = tokio::spawn(connection);
        let mut body = within("the response", answer).await.unwrap().into_body();
        assert_eq!(read_all(&mut body).await.unwrap(), b"hello world!");
        assert_eq!(within("trailers", body.trailers()).await.unwrap(), None);
        drop((client, send, body));
        within("the end", connection).await.unwrap().unwrap();
    }
    server.abort();
}

/// Many tasks share a connection; each third one loses interest at some point.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (io, _) = listener.accept().await.unwrap();
        let mut builder = server::Builder::new();
        builder.max_concurrent_streams(10);
        // Those who lose interest may be quicker than we are.
        builder.max_pending_accept_reset_streams(1000);
        let mut connection = builder.handshake(io).await.unwrap();
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request.unwrap();
            tokio::spawn(async move {
                // The client may have gone at any of these points.
                let octets = read_all(&mut request.into_body()).await?;
                let mut send = respond.send_response(status(200), false)?;
                send.send_data(Bytes::from(octets), true)
            });
        }
    });

    let io = TcpStream::connect(address).await.unwrap();
    let mut builder = client::Builder::new();
    builder.initial_max_send_streams(10);
    let (client, connection) = builder.handshake::<_, Bytes>(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut tasks = JoinSet::new();
    for task in 0..30 {
        let mut client = client.clone();
        tasks.spawn(async move {
            for round in 0..30 {
                client = within("readiness", client.ready()).await.unwrap();
                let (answer, mut send) = client.send_request(post(URI), false).unwrap();
                let octets = Bytes::from(vec![task; round * 1000]);
                send.send_data(octets.clone(), true).unwrap();
                if task % 3 == 0 {
                    for _ in 0..round {
                        tokio::task::yield_now().await;
                    }
                    continue;
                }
                let mut body = within("the response", answer).await.unwrap().into_body();
                assert_eq!(read_all(&mut body).await.unwrap(), octets);
            }
        });
    }
    while let Some(task) = within("the tasks", tasks.join_next()).await {
        task.unwrap();
    }
    drop(client);
    within("the end of the client", connection).await.unwrap().unwrap();
    within("the end of the server", server).await.unwrap();
}
