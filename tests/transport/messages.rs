//! Requests and responses of every shape (RFC 9113 §8.1).

use std::future::poll_fn;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use millpond::{Config, Error, Protocol};

use crate::world::{
    Incoming, Pipe, Tcp, Wire, World, call, echo, get, no_content, on_every_wire, pattern, post, read_body,
    run_here, run_on_threads, status,
};

async fn unary<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    let (head, body, trailers) = call(&world.send, get("/"), Bytes::new()).await.unwrap();
    assert_eq!((head.status().as_u16(), body.len(), trailers), (200, 0, None));
    let (_, body, _) = call(&world.send, post("/"), Bytes::from_static(b"hello")).await.unwrap();
    assert_eq!(body, b"hello");
    world.finish().await;
}
on_every_wire!(unary);

async fn bodies_of_every_size<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    for octets in [1, 9, 1_023, 1_024, 1_025, 16_384, 16_385, 65_535, 65_536, 300_000, 4 << 20] {
        let sent = pattern(octets);
        let (_, body, _) = call(&world.send, post("/"), sent.clone()).await.unwrap();
        assert!(body == sent, "{octets} octets came back as {} others", body.len());
    }
    world.finish().await;
}
on_every_wire!(bodies_of_every_size);

async fn trailers_both_ways<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    let mut request = post("/");
    request.headers_mut().insert("x-trailer", HeaderValue::from_static("from the head"));
    let (_, body, trailers) = call(&world.send, request, pattern(100_000)).await.unwrap();
    assert_eq!(body.len(), 100_000);
    assert_eq!(trailers.unwrap()["x-trailer"], "from the head");

    let (response, mut send) = world.send.clone().send_request(post("/"), false).unwrap();
    send.send_data(Bytes::from_static(b"x"), false).unwrap();
    send.send_trailers(HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("1"))]))
        .unwrap();
    assert!(send.send_data(Bytes::new(), true).is_err(), "nothing follows trailers");
    let mut body = response.await.unwrap().into_body();
    let (octets, trailers) = read_body(&mut body).await.unwrap();
    assert_eq!((octets.as_slice(), &trailers.unwrap()["x-end"]), (&b"x"[..], &HeaderValue::from_static("1")));
    assert!(body.is_end_stream());
    drop((body, send));
    world.finish().await;
}
on_every_wire!(trailers_both_ways);

async fn many_at_once<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    let calls = (0..500).map(|n| {
        let send = world.send.clone();
        async move {
            let sent = pattern(n * 37);
            let (_, body, _) = call(&send, post("/"), sent.clone()).await.unwrap();
            assert!(body == sent, "call {n}");
        }
    });
    futures_util::future::join_all(calls).await;
    world.finish().await;
}
on_every_wire!(many_at_once);

#[test]
fn informational_responses_come_first_and_in_order() {
    run_here(async {
        let answer = |(_, mut respond): Incoming| async move {
            assert!(respond.send_informational(status(200)).is_err());
            assert!(respond.send_response(status(103), false).is_err());
            let mut early = status(103);
            early.headers_mut().insert("link", HeaderValue::from_static("</a.css>"));
            respond.send_informational(status(100))?;
            respond.send_informational(early)?;
            respond.send_response(status(204), true)?;
            assert!(respond.send_informational(status(100)).is_err(), "nothing follows the end");
            Ok(())
        };
        let mut world = World::start::<Tcp, _, _>(answer).await;
        let (mut response, _) = world.send.send_request(get("/"), true).unwrap();
        let mut codes = Vec::new();
        while let Some(head) = poll_fn(|cx| response.poll_informational(cx)).await {
            codes.push(head.unwrap().status().as_u16());
        }
        assert_eq!(codes, [100, 103]);
        assert_eq!(response.await.unwrap().status(), 204);
        world.finish().await;
    });
}

#[test]
fn one_request_has_one_final_response() {
    run_here(async {
        let answer = |(_, mut respond): Incoming| async move {
            let mut send = respond.send_response(status(200), false)?;
            assert!(respond.send_response(status(200), false).is_err(), "a second head");
            assert!(respond.send_informational(status(100)).is_err(), "a late informational head");
            send.send_data(Bytes::from_static(b"once"), true)
        };
        let world = World::start::<Tcp, _, _>(answer).await;
        let (_, body, _) = call(&world.send, get("/"), Bytes::new()).await.unwrap();
        assert_eq!(body, b"once");
        world.finish().await;
    });
}

#[test]
fn head_has_a_length_and_no_content() {
    run_here(async {
        let answer = |(request, mut respond): Incoming| async move {
            assert_eq!(request.method(), Method::HEAD);
            let mut response = Response::new(());
            response.headers_mut().insert("content-length", HeaderValue::from_static("1000000"));
            respond.send_response(response, true).map(drop)
        };
        let world = World::start::<Tcp, _, _>(answer).await;
        let request = Request::head("http://pond.example/").body(()).unwrap();
        let (head, body, _) = call(&world.send, request, Bytes::new()).await.unwrap();
        assert_eq!(
            (&head.headers()["content-length"], body.len()),
            (&HeaderValue::from_static("1000000"), 0)
        );
        world.finish().await;
    });
}

#[test]
fn connect_is_a_tunnel_both_ways() {
    run_on_threads(async {
        let world = World::start::<Tcp, _, _>(echo).await;
        let request = Request::connect("pond.example:443").body(()).unwrap();
        let (response, mut send) = world.send.clone().send_request(request, false).unwrap();
        let mut body = response.await.unwrap().into_body();
        for word in ["one", "two", "three"] {
            send.send_data(Bytes::from(word), false).unwrap();
            assert_eq!(body.data().await.unwrap().unwrap(), word);
            body.flow_control().release_capacity(word.len()).unwrap();
        }
        send.send_data(Bytes::new(), true).unwrap();
        assert!(body.data().await.is_none());
        drop((send, body));
        world.finish().await;
    });
}

#[test]
fn extended_connect_names_its_protocol() {
    run_here(async {
        let answer = |(request, mut respond): Incoming| async move {
            assert_eq!(request.extensions().get::<Protocol>().unwrap().as_str(), "websocket");
            respond.send_response(Response::new(()), true).map(drop)
        };
        let server = Config::builder().enable_connect_protocol(true);
        let world = World::with::<Tcp, _, _>(Config::builder(), server, answer).await;
        // Known once the SETTINGS have come, and they have come before any answer.
        let send = world.send.clone();
        crate::world::within("no SETTINGS", || send.is_extended_connect_protocol_enabled()).await;
        let mut request = Request::connect("http://pond.example/chat").body(()).unwrap();
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let (response, sender) = world.send.clone().send_request(request, false).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
        drop((sender, send));
        world.finish().await;
    });
}

#[test]
fn large_heads_arrive_whole() {
    run_here(async {
        let answer = |(request, mut respond): Incoming| async move {
            let mut response = Response::new(());
            *response.headers_mut() = request.headers().clone();
            respond.send_response(response, true).map(drop)
        };
        let large = || Config::builder().max_header_list_size(1 << 20);
        let world = World::with::<Pipe, _, _>(large(), large(), answer).await;
        let mut request = get("/");
        for n in 0..100 {
            let name: http::HeaderName = format!("x-field-{n}").parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(&"v".repeat(n * 50)).unwrap());
        }
        let (head, ..) = call(&world.send, request.clone(), Bytes::new()).await.unwrap();
        assert_eq!(head.headers(), request.headers());
        world.finish().await;
    });
}

#[test]
fn a_head_too_large_for_the_peer_harms_only_its_own_request() {
    run_here(async {
        let world = World::start::<Tcp, _, _>(no_content).await;
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        let mut request = get("/");
        request.headers_mut().insert("x-large", HeaderValue::from_str(&"v".repeat(20_000)).unwrap());
        let error: Error = call(&world.send, request, Bytes::new()).await.unwrap_err();
        assert!(error.mistake().is_some(), "{error}");
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        world.finish().await;
    });
}
