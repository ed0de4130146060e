//! WebSocket on a stream of HTTP/2, by extended CONNECT (RFC 8441).

use axum::Router;
use axum::extract::ws::{Message as AxumMessage, WebSocketUpgrade};
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, StatusCode};
use hyper::client::conn::http2::SendRequest;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};

use super::{ALL, By, connect, serve};
use crate::support::bodies::{Body, empty, full};
use crate::support::hyper_pair::request;
use crate::support::{Gauge, pattern, show, soon, until};

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Sends every message back, until it is closed.
fn router(open: Gauge) -> Router {
    let handler = async move |upgrade: WebSocketUpgrade| {
        let counted = open.enter();
        upgrade.protocols(["pond"]).on_upgrade(async move |mut socket| {
            let _counted = counted;
            while let Some(Ok(message)) = socket.next().await {
                if matches!(message, AxumMessage::Text(_) | AxumMessage::Binary(_))
                    && socket.send(message).await.is_err()
                {
                    break;
                }
            }
        })
    };
    Router::new().route("/socket", any(handler)).route("/", any(async || "plain"))
}

/// An extended CONNECT (RFC 8441 §4).
fn extended_connect() -> Request<Body> {
    let mut request = request("CONNECT", "/socket", empty());
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request.headers_mut().insert("sec-websocket-version", 13.into());
    request.headers_mut().insert("sec-websocket-protocol", "other, pond".parse().expect("a value"));
    request
}

async fn open(send: &mut SendRequest<Body>) -> Socket {
    let answer = soon(send.send_request(extended_connect())).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "pond");
    let upgraded = soon(hyper::upgrade::on(answer)).await.expect("a tunnel");
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await
}

async fn exchange(socket: &mut Socket, message: Message) {
    soon(socket.send(message.clone())).await.expect("it is open");
    let back = soon(socket.next()).await.expect("it is open").expect("a message");
    assert!(back == message, "another message came back");
}

#[test]
fn messages_come_back() {
    show(async {
        let mut held = Vec::new();
        for by in ALL {
            let open_sockets = Gauge::default();
            let mut send = connect(serve(by, router(open_sockets.clone())).await).await;
            // The server's SETTINGS say that it may be asked (RFC 8441 §3); they have come when this is answered.
            soon(send.send_request(request("GET", "/", empty()))).await.expect("an answer");
            let mut socket = open(&mut send).await;
            exchange(&mut socket, Message::text("hello")).await;
            for size in [0, 1, 1000, 100_000, 2 << 20] {
                exchange(&mut socket, Message::binary(pattern(size))).await;
            }
            // It succeeds, unless the server has closed in answer before all of it is flushed.
            drop(soon(socket.close(None)).await);
            while let Some(Ok(message)) = soon(socket.next()).await {
                assert!(message.is_close(), "{message:?}");
            }
            until(|| open_sockets.now() == 0).await;
            held.push(send);
        }
        held
    });
}

#[test]
fn sockets_and_calls_share_the_connection() {
    show(async {
        let open_sockets = Gauge::default();
        let mut send = connect(serve(By::Axum, router(open_sockets.clone())).await).await;
        soon(send.send_request(request("GET", "/", empty()))).await.expect("an answer");
        let mut sockets = Vec::new();
        for _ in 0..20 {
            sockets.push(open(&mut send).await);
        }
        for round in 0..5 {
            for socket in &mut sockets {
                exchange(socket, Message::text(format!("round {round}"))).await;
            }
            let answer =
                soon(send.send_request(request("POST", "/", full(pattern(1000))))).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
        }
        assert_eq!(open_sockets.now(), 20);
        // Dropped and not closed: half of them now, the others when all rests.
        sockets.truncate(10);
        until(|| open_sockets.now() == 10).await;
        (send, sockets)
    });
}

#[test]
fn a_server_that_does_not_offer_it_is_not_asked() {
    show(async {
        let listener = crate::support::listener().await;
        let addr = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.expect("a client");
            let service = hyper::service::service_fn(crate::support::hyper_pair::echo);
            let builder = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            drop(builder.serve_connection(TokioIo::new(socket), service).await);
        });
        let mut send = connect(addr).await;
        soon(send.send_request(request("GET", "/", empty()))).await.expect("an answer");
        let error = soon(send.send_request(extended_connect())).await.expect_err("it was not offered");
        println!("{error:?}");
        let mut plain = request("GET", "/", empty());
        *plain.method_mut() = Method::GET;
        soon(send.send_request(plain)).await.expect("the connection is as good as before");
        send
    });
}
