//! Programs that are not about gRPC: nghttp, h2load, curl and nghttpd.

use std::process::Command;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{Empty, Full};
use millpond::Server;
use millpond_testkit::{conversation::pattern, grpc, stock::HELLO};

use crate::{
    tools::{Daemon, Directory, call, output},
    world::{Served, channel_to, quiet, site},
};

/// How many lines of what nghttp printed tell of a received frame that begins so.
fn received(said: &str, frame: &str) -> usize {
    said.lines().filter(|line| line.contains(&format!("recv {frame}"))).count()
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn nghttp_sees_the_frames_it_should() {
    let served = Served::start(Server::builder(), site()).await;
    let directory = Directory::new("nghttp");
    let upload = directory.write("upload", pattern(100_000));
    let url = |path: &str| format!("http://{}{path}", served.address);

    let said = output("nghttp", &["-v", &url("/")]).await;
    for frame in ["SETTINGS frame <length=0, flags=0x01", "HEADERS frame", "DATA frame <length=13"] {
        assert_eq!(received(&said, frame), 1, "{frame}: {said}");
    }
    // Which stream it is depends on nghttp: old ones use the first for priorities (RFC 7540 §5.3).
    let answered = |line: &str| line.contains("recv (stream_id=") && line.contains(") :status: 200");
    assert!(said.lines().any(answered), "{said}");
    assert!(said.contains("date: "), "{said}");
    assert_eq!(received(&said, "RST_STREAM"), 0, "{said}");

    let said = output("nghttp", &["-v", "-n", "-d", &upload, &url("/sink")]).await;
    assert!(said.contains("content-length: 6"), "the count has six digits: {said}");
    assert_eq!(received(&said, "RST_STREAM"), 0, "{said}");

    let urls: Vec<String> = (1..=20).map(|count| url(&format!("/octets/{}", count * 1_000))).collect();
    let mut arguments = vec!["-v", "-n"];
    arguments.extend(urls.iter().map(String::as_str));
    let said = output("nghttp", &arguments).await;
    assert_eq!(received(&said, "HEADERS frame"), 20, "{said}");
    assert_eq!(said.matches(":status: 200").count(), 20, "{said}");
    served.finish().await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn nghttp_on_its_own_window() {
    let served = Served::start(Server::builder(), site()).await;
    // 2^10 octets of window for each stream: many rounds of WINDOW_UPDATE.
    let url = format!("http://{}/octets/300000", served.address);
    let said = output("nghttp", &["-v", "-n", "-w", "10", &url]).await;
    let lengths =
        said.lines().filter_map(|line| line.split_once("recv DATA frame <length=")?.1.split_once(','));
    let lengths: Vec<usize> = lengths.map(|(length, _)| length.parse().unwrap()).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 300_000, "{said}");
    assert!(lengths.iter().all(|length| *length <= 1 << 10), "{said}");
    served.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs tests/peers/install.sh"]
async fn h2load_loses_nothing() {
    let served = Served::start(Server::builder(), site()).await;
    let directory = Directory::new("h2load");
    let plain = directory.write("plain", pattern(10_000));
    let message = directory.write("message", grpc::echo_body(&pattern(1_000)));
    let grpc = ["-H", "content-type: application/grpc", "-H", "te: trailers", "-d", &message];
    for (path, more) in [("/", &[] as &[_]), ("/echo", &["-d", &plain]), ("/echo.Echo/Unary", &grpc)] {
        let url = format!("http://{}{path}", served.address);
        let arguments = [&["-n", "10000", "-c", "4", "-m", "32"], more, &[&url]].concat();
        let said = output("h2load", &arguments).await;
        for line in ["10000 succeeded, 0 failed, 0 errored, 0 timeout", "status codes: 10000 2xx"] {
            assert!(said.contains(line), "{path}: {said}");
        }
    }
    served.finish().await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn curl_gets_heads_uploads_and_downloads() {
    let served = Served::start(Server::builder(), site()).await;
    let directory = Directory::new("curl");
    let upload = directory.write("upload", pattern(5 << 20));
    let download = directory.write("download", "");
    let url = |path: &str| format!("http://{}{path}", served.address);
    let curl = async |arguments: &[&str]| {
        output("curl", &[&["-sS", "--http2-prior-knowledge", "--fail"], arguments].concat()).await
    };

    assert_eq!(curl(&[&url("/")]).await.as_bytes(), HELLO);
    let head = curl(&["-I", &url("/octets/1234")]).await;
    assert!(head.starts_with("HTTP/2 200") && head.contains("content-length: 1234"), "{head}");
    let upload = format!("@{upload}");
    let sink = ["-X", "POST", "-T", &upload[1..], &url("/sink")];
    assert_eq!(curl(&sink).await, (5 << 20).to_string());
    curl(&["-H", "expect:", "--data-binary", &upload, "-o", &download, &url("/echo")]).await;
    assert!(std::fs::read(&download).unwrap() == pattern(5 << 20), "the upload came back changed");
    curl(&["-o", &download, &url("/octets/5242880")]).await;
    assert!(std::fs::read(&download).unwrap() == pattern(5 << 20), "the download is another");
    served.finish().await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn our_channel_calls_nghttpd() {
    let directory = Directory::new("nghttpd");
    directory.write("page", pattern(300_000));
    let server = Daemon::start(|port| {
        let mut command = Command::new("nghttpd");
        let root = directory.path();
        command.args(["--no-tls", "--echo-upload", "-a", "127.0.0.1", "-d", &root, &port.to_string()]);
        command
    });
    let server = server.await;
    let (channel, pool) = channel_to(server.address);
    let channel = channel.connect().await.unwrap();
    let get = |path: &str| Request::get(path).body(Empty::<Bytes>::new()).unwrap();
    let answer = call(&channel, get("/page")).await.unwrap();
    assert_eq!((answer.status(), answer.body()), (StatusCode::OK, &pattern(300_000)));
    assert_eq!(call(&channel, get("/missing")).await.unwrap().status(), StatusCode::NOT_FOUND);
    let head = Request::head("/page").body(Empty::<Bytes>::new()).unwrap();
    let answer = call(&channel, head).await.unwrap();
    assert_eq!((answer.headers()["content-length"].as_bytes(), answer.body().len()), (&b"300000"[..], 0));
    for size in [1, 100_000, 5 << 20] {
        let answer = call(&channel, Request::post("/page").body(Full::new(pattern(size))).unwrap());
        assert_eq!(answer.await.unwrap().into_body(), pattern(size));
    }
    drop(channel);
    quiet(&pool).await;
}
