//! Every kind of call (the gRPC over HTTP/2 protocol, on RFC 9113 §8.1).

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body as _;
use millpond_testkit::conversation::{self, Tally};
use millpond_testkit::echo::{self, EchoServer, EchoService, Msg, SERVER_STREAM_MESSAGES};
use millpond_testkit::{grpc, stock};
use tokio::task::JoinSet;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Code, Request};

use super::{client, connect, endpoint, serve};
use crate::support::{pattern, show, soon};

#[test]
fn every_conversation_goes_well() {
    show(async {
        let addr = serve(Server::builder(), echo::routes()).await;
        let channel = endpoint(addr).connect().await.expect("a connection");
        conversation::hold(channel.clone()).await.assert_passed();
        channel
    });
}

#[test]
fn every_compressed_conversation_goes_well() {
    show(async {
        let addr = serve(Server::builder(), echo::gzip_routes()).await;
        let channel = endpoint(addr).connect().await.expect("a connection");
        conversation::hold_gzip(channel.clone()).await.assert_passed();
        channel
    });
}

#[test]
fn conversations_go_well_with_narrow_and_adaptive_windows() {
    show(async {
        let narrow = Server::builder()
            .initial_stream_window_size(5_000)
            .initial_connection_window_size(65_535)
            .max_concurrent_streams(7);
        let adaptive = Server::builder().http2_adaptive_window(Some(true)).max_frame_size(100_000);
        let mut channels = Vec::new();
        for server in [narrow, adaptive] {
            let addr = serve(server, echo::routes()).await;
            let narrow =
                endpoint(addr).initial_stream_window_size(5_000).initial_connection_window_size(65_535);
            for endpoint in [narrow, endpoint(addr).http2_adaptive_window(true)] {
                let channel = endpoint.connect().await.expect("a connection");
                conversation::hold(channel.clone()).await.assert_passed();
                channels.push(channel);
            }
        }
        channels
    });
}

#[test]
fn conversations_with_other_stacks_go_well() {
    show(async {
        let here = tokio::runtime::Handle::current();
        let mut held = Vec::new();
        // hyper's own server, and bare h2, answer unary calls of their own.
        for server in [stock::hyper_server(&here), stock::h2_server(&here)] {
            let server = server.expect("a port");
            let mut client = client(server.addr()).await;
            for size in conversation::SIZES {
                let answer = soon(client.unary(Msg::from(pattern(size)))).await.expect("an answer");
                assert!(answer.into_inner().data == pattern(size), "{size}");
            }
            held.push((server, client));
        }
        held
    });
}

#[test]
fn an_error_without_messages_is_one_head() {
    show(async {
        let addr = serve(Server::builder(), echo::routes()).await;
        let mut send = stock::hyper_client(addr).await.expect("a connection");
        let mut request =
            grpc::request(addr, "/echo.Echo/ServerStream", Full::new(grpc::echo_body(b"some octets")));
        request.headers_mut().insert("x-status", 8.into());
        let answer = soon(send.send_request(request)).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], "8");
        assert!(answer.headers().contains_key("grpc-message"));
        assert!(answer.body().is_end_stream(), "trailers only");
        (send, answer)
    });
}

#[test]
fn an_answer_ends_with_trailers() {
    show(async {
        let addr = serve(Server::builder(), echo::routes()).await;
        let mut send = stock::hyper_client(addr).await.expect("a connection");
        let request = grpc::request(addr, "/echo.Echo/Unary", Full::new(grpc::echo_body(b"some octets")));
        let answer = soon(send.send_request(request)).await.expect("an answer");
        assert!(!answer.headers().contains_key("grpc-status"));
        let answer = soon(answer.into_body().collect()).await.expect("the body");
        assert_eq!(answer.trailers().expect("trailers")["grpc-status"], "0");
        let messages = grpc::echo_data(answer.to_bytes()).expect("whole messages");
        assert_eq!(messages, [Bytes::from_static(b"some octets")]);
        send
    });
}

#[test]
fn messages_may_be_large() {
    show(async {
        const SIZE: usize = 20 << 20;
        let addr = serve(Server::builder(), echo::routes()).await;
        let mut client = client(addr).await;
        let answer = soon(client.unary(Msg::from(pattern(SIZE)))).await.expect("an answer");
        assert!(answer.into_inner().data == pattern(SIZE));
        let halves = [pattern(SIZE / 2), pattern(SIZE / 2)].map(Msg::from);
        let answer = soon(client.client_stream(tokio_stream::iter(halves))).await.expect("an answer");
        assert_eq!(answer.into_inner().data.len(), SIZE);
        client
    });
}

#[test]
fn a_message_beyond_the_limit_is_refused_and_no_more() {
    show(async {
        let routes = Routes::new(EchoServer::new(EchoService).max_decoding_message_size(100_000));
        let addr = serve(Server::builder(), routes).await;
        let mut client = client(addr).await;
        for _ in 0..5 {
            let status = soon(client.unary(Msg::from(pattern(5 << 20)))).await.expect_err("too large");
            assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
            let answer = soon(client.unary(Msg::from(pattern(90_000)))).await.expect("an answer");
            assert!(answer.into_inner().data == pattern(90_000));
        }
        // The same at the client: it stops reading a large answer.
        let mut strict = client.clone().max_decoding_message_size(1000);
        let status = soon(strict.unary(Msg::from(pattern(90_000)))).await.expect_err("too large");
        assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
        client
    });
}

#[test]
fn hundreds_of_calls_at_once() {
    show(async {
        let addr = serve(Server::builder(), echo::routes()).await;
        let client = client(addr).await;
        let mut calls = JoinSet::new();
        for index in 0..300 {
            let mut client = client.clone();
            calls.spawn(async move {
                let octets = pattern(index * 100);
                match index % 3 {
                    0 => {
                        let answer = client.unary(Msg::from(octets.clone())).await?.into_inner();
                        assert!(answer.data == octets);
                    }
                    1 => {
                        let mut answers = client.server_stream(Msg::from(octets.clone())).await?.into_inner();
                        let mut count = 0;
                        while let Some(answer) = answers.message().await? {
                            assert!(answer.data == octets);
                            count += 1;
                        }
                        assert_eq!(count, SERVER_STREAM_MESSAGES);
                    }
                    _ => {
                        let messages = tokio_stream::iter(vec![Msg::from(octets.clone()); 20]);
                        let mut answers = client.bidi(messages).await?.into_inner();
                        let mut count = 0;
                        while let Some(answer) = answers.message().await? {
                            assert!(answer.data == octets);
                            count += 1;
                        }
                        assert_eq!(count, 20);
                    }
                }
                Ok::<_, tonic::Status>(())
            });
        }
        while let Some(call) = soon(calls.join_next()).await {
            call.expect("no panic").expect("an answer");
        }
        client
    });
}

#[test]
fn metadata_beyond_a_frame_goes_through() {
    show(async {
        // More than one frame of 16 KiB: HEADERS and CONTINUATION.
        let server = Server::builder().http2_max_header_list_size(200_000);
        let addr = serve(server, echo::routes()).await;
        let mut client = connect(endpoint(addr).http2_max_header_list_size(200_000)).await;
        for size in [10, 16_000, 50_000, 10] {
            let text: MetadataValue<_> = "~".repeat(size).parse().expect("text");
            let mut request = Request::new(Msg::from(pattern(10)));
            request.metadata_mut().insert("x-echo", text.clone());
            let answer = soon(client.unary(request)).await.expect("an answer");
            assert_eq!(answer.metadata().get("x-echo"), Some(&text), "{size}");
        }
        client
    });
}

#[test]
fn failed_conversations_are_told() {
    show(async {
        let addr = serve(Server::builder(), Routes::default()).await;
        let channel = endpoint(addr).connect().await.expect("a connection");
        let Tally { passed, failures } = conversation::hold(channel).await;
        assert_eq!(passed, 1, "only an unknown method is as it should be: {failures:?}");
    });
}
