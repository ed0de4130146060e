//! What our server adds to responses and takes from them (RFC 9110 §6.4.1, §6.6.1; RFC 9113 §8.2.2).

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use millpond::{Body, Server};
use millpond_testkit::stock;

use crate::{
    tools::h2_call,
    world::{Served, on_both_runtimes},
};

on_both_runtimes! {
    a_date_is_added_once
    no_content_where_none_belongs
    connection_specific_fields_are_taken_out
    requests_arrive_whole
}

fn request(method: Method, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://pond.example{path}")).body(()).unwrap()
}

async fn a_date_is_added_once() {
    let service = tower::service_fn(async |request: Request<Body>| {
        let response = Response::builder();
        let response = match request.uri().path() {
            "/own" => response.header("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            _ => response,
        };
        response.body(String::new())
    });
    for (on, path, expected) in [(true, "/", 1), (true, "/own", 1), (false, "/", 0), (false, "/own", 1)] {
        let served = Served::start(Server::builder().auto_date_header(on), service).await;
        let send = stock::h2_client(served.address).await.unwrap();
        let (head, ..) = h2_call(&send, request(Method::GET, path), Bytes::new()).await.unwrap();
        let dates: Vec<_> = head.headers().get_all("date").iter().collect();
        assert_eq!(dates.len(), expected, "{on} {path}");
        assert_eq!(dates.iter().any(|date| date.as_bytes().ends_with(b"1970 00:00:00 GMT")), path == "/own");
        drop(send);
        served.finish().await;
    }
}

async fn no_content_where_none_belongs() {
    let service = tower::service_fn(async |request: Request<Body>| {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let response = Response::builder().status(status);
        let response = if status == 204 { response } else { response.header("content-length", 7) };
        response.body("content".to_owned())
    });
    let served = Served::start(Server::builder(), service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    for (method, status, octets) in [
        (Method::GET, 200, 7),
        (Method::HEAD, 200, 0),
        (Method::HEAD, 404, 0),
        (Method::GET, 204, 0),
        (Method::GET, 304, 0),
        (Method::GET, 404, 7),
    ] {
        let asked = request(method.clone(), &format!("/{status}"));
        let (response, _) = send.clone().ready().await.unwrap().send_request(asked, true).unwrap();
        let (head, mut body) = response.await.unwrap().into_parts();
        assert_eq!(head.status, StatusCode::from_u16(status).unwrap());
        // Without content the head itself ends the stream.
        assert_eq!(body.is_end_stream(), octets == 0, "{method} {status}");
        let received = body.data().await.map_or(0, |piece| piece.unwrap().len());
        assert_eq!(received, octets, "{method} {status}");
        // The length of what a GET would have brought may be said all the same.
        assert_eq!(head.headers.contains_key("content-length"), status != 204);
    }
    drop(send);
    served.finish().await;
}

async fn connection_specific_fields_are_taken_out() {
    let service = tower::service_fn(async |_: Request<Body>| {
        let response = Response::builder()
            .header("connection", "keep-alive, x-hop")
            .header("keep-alive", "timeout=5")
            .header("proxy-connection", "close")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "h2c")
            .header("x-kept", "1");
        response.body("content".to_owned())
    });
    let served = Served::start(Server::builder().auto_date_header(false), service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let (head, body, _) = h2_call(&send, request(Method::GET, "/"), Bytes::new()).await.unwrap();
    assert_eq!(head.headers().keys().collect::<Vec<_>>(), ["x-kept"]);
    assert_eq!(body, "content");
    drop(send);
    served.finish().await;
}

async fn requests_arrive_whole() {
    let service = tower::service_fn(async |request: Request<Body>| {
        let said = format!(
            "{} {} {:?} {:?}",
            request.method(),
            request.uri(),
            request.version(),
            request.headers().get_all("x-twice").iter().collect::<Vec<_>>()
        );
        Ok::<_, Infallible>(Response::new(said))
    });
    let served = Served::start(Server::builder(), service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let asked =
        Request::put("http://pond.example:81/a/b?c=d%20e").header("x-twice", "1").header("x-twice", "2");
    let (_, body, _) = h2_call(&send, asked.body(()).unwrap(), Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(body, r#"PUT http://pond.example:81/a/b?c=d%20e HTTP/2.0 ["1", "2"]"#);
    drop(send);
    served.finish().await;
}
