//! Messages, well-formed and not (RFC 9113 §8.2, §8.3).

use super::*;

fn get() -> Section {
    Section {
        method: Some(Method::GET),
        scheme: Some(Bytes::from_static(b"http")),
        authority: Some(Bytes::from_static(b"example.com")),
        path: Some(Bytes::from_static(b"/a?b")),
        ..Section::default()
    }
}

fn header(name: &'static str, value: &'static str) -> Field {
    Field::Header(HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[test]
fn a_request_keeps_every_part() {
    let mut section = get();
    section.add(header("x-a", "1"));
    let request = section.take_request().unwrap();
    assert_eq!(request.uri(), "http://example.com/a?b");
    assert_eq!(request.method(), Method::GET);
    assert_eq!(request.version(), Version::HTTP_2);
    assert_eq!(request.headers()["x-a"], "1");
}

#[test]
fn missing_and_misplaced_pseudo_fields_are_refused() {
    let broken: [(&str, Section); 10] = [
        ("no method", Section { method: None, ..get() }),
        ("no scheme", Section { scheme: None, ..get() }),
        ("no path", Section { path: None, ..get() }),
        ("empty path", Section { path: Some(Bytes::new()), ..get() }),
        ("relative path", Section { path: Some(Bytes::from_static(b"a")), ..get() }),
        ("asterisk of GET", Section { path: Some(Bytes::from_static(b"*")), ..get() }),
        ("status in request", Section { status: Some(StatusCode::OK), ..get() }),
        ("userinfo", Section { authority: Some(Bytes::from_static(b"me@example.com")), ..get() }),
        ("protocol of GET", Section { protocol: Some(Bytes::from_static(b"websocket")), ..get() }),
        ("tunnel with path", Section { method: Some(Method::CONNECT), ..get() }),
    ];
    for (what, mut section) in broken {
        assert_eq!(section.take_request().unwrap_err(), Misdeed::BadPseudoField, "{what}");
    }
}

#[test]
fn the_three_other_forms_of_request() {
    let mut options =
        Section { method: Some(Method::OPTIONS), path: Some(Bytes::from_static(b"*")), ..get() };
    assert_eq!(options.take_request().unwrap().uri().path(), "*");
    let mut tunnel = Section { method: Some(Method::CONNECT), scheme: None, path: None, ..get() };
    assert_eq!(tunnel.take_request().unwrap().uri().authority().unwrap(), "example.com");
    let mut extended = Section { method: Some(Method::CONNECT), ..get() };
    extended.add(Field::Protocol(Bytes::from_static(b"websocket")));
    let request = extended.take_request().unwrap();
    assert_eq!(request.extensions().get::<Protocol>().unwrap().as_str(), "websocket");
}

#[test]
fn connection_specific_fields_are_refused() {
    for (name, value) in [
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ] {
        let mut section = get();
        section.add(header(name, value));
        assert_eq!(section.take_request().unwrap_err(), Misdeed::ConnectionSpecificField, "{name}");
    }
    let mut section = get();
    section.add(header("te", "trailers"));
    assert!(section.take_request().is_ok());
}

#[test]
fn host_must_agree_with_authority() {
    let with_hosts = |hosts: &[&'static str]| {
        let mut section = get();
        hosts.iter().for_each(|host| section.add(header("host", host)));
        section.take_request().map(drop)
    };
    assert_eq!(with_hosts(&["EXAMPLE.com"]), Ok(()));
    assert_eq!(with_hosts(&["other.com"]), Err(Misdeed::BadPseudoField));
    assert_eq!(with_hosts(&["example.com", "example.com"]), Err(Misdeed::BadPseudoField));
}

#[test]
fn cookie_crumbs_are_joined() {
    let mut section = get();
    section.add(header("cookie", "a=1"));
    section.add(header("cookie", "b=2"));
    assert_eq!(section.take_request().unwrap().headers()["cookie"], "a=1; b=2");
}

#[test]
fn responses_have_a_status_and_nothing_else() {
    let status = |code| Section { status: StatusCode::from_u16(code).ok(), ..Section::default() };
    assert_eq!(status(204).take_response().unwrap().status(), 204);
    assert_eq!(status(101).take_response().unwrap_err(), Misdeed::BadPseudoField);
    assert_eq!(Section::default().take_response().unwrap_err(), Misdeed::MissingStatus);
    let mut mixed = Section { path: Some(Bytes::from_static(b"/")), ..status(200) };
    assert_eq!(mixed.take_response().unwrap_err(), Misdeed::BadPseudoField);
}

#[test]
fn trailers_have_no_pseudo_fields() {
    let mut section = Section::default();
    section.add(header("grpc-status", "0"));
    assert_eq!(section.take_trailers().unwrap()["grpc-status"], "0");
    assert_eq!(get().take_trailers().unwrap_err(), Misdeed::BadPseudoField);
}
