//! Many more requests at once than the server allows: all of them must get through.

use bytes::Bytes;

use super::{
    super::h2::{Reason, RecvStream, client, server},
    endpoint::{post, status},
};
use crate::mock::within;

const TASKS: usize = 100;
const REQUESTS_OF_EACH: usize = 20;
const ALLOWED_AT_ONCE: u32 = 20;
const BODY: &[u8] = &[77; 10 * 1024];

/// The size of a body. Its credit comes back when it is dropped.
async fn size(mut body: RecvStream) -> usize {
    let mut octets = 0;
    while let Some(chunk) = body.data().await {
        octets += chunk.unwrap().len();
    }
    octets
}

/// Answers everything with a body, once the request's body is read.
async fn serve(io: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    let mut builder = server::Builder::new();
    builder.max_concurrent_streams(ALLOWED_AT_ONCE);
    let mut connection = builder.handshake(io).await.unwrap();
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        tokio::spawn(async move {
            assert_eq!(size(request.into_body()).await, BODY.len());
            let mut body = answer.send_response(status(200), false).unwrap();
            body.send_data(Bytes::from_static(BODY), true).unwrap();
        });
    }
}

async fn ask(mut client: client::SendRequest<Bytes>) {
    for _ in 0..REQUESTS_OF_EACH {
        client = client.ready().await.unwrap();
        let (answer, mut upload) = client.send_request(post("https://example.com/"), false).unwrap();
        upload.send_data(Bytes::from_static(BODY), true).unwrap();
        match answer.await {
            Ok(answer) => assert_eq!(size(answer.into_body()).await, BODY.len()),
            // Sent before the server's limit was known.
            Err(error) => assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_request_gets_through() {
    let (client_io, server_io) = tokio::io::duplex(64 * 1024);
    tokio::spawn(serve(server_io));
    let (client, connection) = client::handshake(client_io).await.unwrap();
    let connection = tokio::spawn(connection);
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(ask(client.clone()))).collect();
    drop(client);
    within("all requests", async {
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
    within("the end", connection).await.unwrap().unwrap();
}
