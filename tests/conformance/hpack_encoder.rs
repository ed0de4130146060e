//! Field compression, as our encoder does it (RFC 7541 §4.2, §6.2.3, §7.1).

use std::convert::Infallible;

use http::{Request, Response};
use http_body_util::Empty;
use millpond::{Body, Server as MillpondServer};

use crate::{
    wire::{END, HEADER_TABLE_SIZE, HEADERS, Peer, headers, request, settings},
    world::{Client, Server},
};

/// One instruction of a field block, its strings left aside (RFC 7541 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instruction {
    Indexed(usize),
    Inserted,
    NotIndexed,
    NeverIndexed,
    SizeUpdate(usize),
}

/// Takes a block apart.
fn instructions(mut block: &[u8]) -> Vec<Instruction> {
    fn integer(block: &mut &[u8], prefix: u32) -> usize {
        let full = (1_usize << prefix) - 1;
        let (first, mut rest) = block.split_first().unwrap();
        let mut value = usize::from(*first) & full;
        if value == full {
            let mut shift = 0;
            loop {
                let (octet, after) = rest.split_first().unwrap();
                value += usize::from(octet & 0x7f) << shift;
                (rest, shift) = (after, shift + 7);
                if octet & 0x80 == 0 {
                    break;
                }
            }
        }
        *block = rest;
        value
    }
    fn literal(block: &mut &[u8], prefix: u32) {
        let strings = if integer(block, prefix) == 0 { 2 } else { 1 };
        for _ in 0..strings {
            let octets = integer(block, 7);
            *block = &block[octets..];
        }
    }
    let mut found = Vec::new();
    while let Some(first) = block.first() {
        found.push(match first.leading_zeros() {
            0 => Instruction::Indexed(integer(&mut block, 7)),
            1 => {
                literal(&mut block, 6);
                Instruction::Inserted
            }
            2 => Instruction::SizeUpdate(integer(&mut block, 5)),
            3 => {
                literal(&mut block, 4);
                Instruction::NeverIndexed
            }
            _ => {
                literal(&mut block, 4);
                Instruction::NotIndexed
            }
        });
    }
    found
}

/// The instructions of our next field section on this stream; it can be decoded.
async fn next(peer: &mut Peer, stream: u32) -> Vec<Instruction> {
    let frame = peer.expect(HEADERS, stream).await;
    let found = instructions(&frame.payload);
    peer.field_section(frame).await;
    found
}

fn size_updates(instructions: &[Instruction]) -> Vec<usize> {
    let sizes = instructions.iter().filter_map(|instruction| match instruction {
        Instruction::SizeUpdate(octets) => Some(*octets),
        _ => None,
    });
    sizes.collect()
}

/// Answers with the fields of the request whose names begin with `x-`, and two that are the same each time.
async fn mirror(request: Request<Body>) -> Result<Response<Empty<bytes::Bytes>>, Infallible> {
    let mut response = Response::builder().header("server", "millpond").header("content-type", "text/plain");
    for (name, value) in request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-")) {
        response = response.header(name, value);
    }
    Ok(response.body(Empty::new()).unwrap())
}

async fn mirrored() -> Client {
    let server = MillpondServer::builder().auto_date_header(false);
    let mut client = Client::connect_to_service(server, tower::service_fn(mirror)).await;
    // Long enough that what repeats is in the table.
    for stream in [1, 3, 5] {
        assert_eq!(size_updates(&ask(&mut client, stream).await), []);
    }
    client
}

async fn ask(client: &mut Client, stream: u32) -> Vec<Instruction> {
    client.send(headers(stream, END, &request("GET", "/", &[]))).await;
    next(client, stream).await
}

fn uses_the_table(instructions: &[Instruction]) -> bool {
    instructions.iter().any(|one| matches!(one, Instruction::Inserted | Instruction::Indexed(62..)))
}

#[tokio::test]
async fn s4_2_no_size_update_without_a_change() {
    let mut client = mirrored().await;
    assert!(uses_the_table(&ask(&mut client, 7).await), "else these tests show nothing");
    // What is more than our encoder wants.
    client.send(settings(&[(HEADER_TABLE_SIZE, 65_536)])).await;
    client.expect_ping_ack().await;
    assert_eq!(size_updates(&ask(&mut client, 9).await), []);
}

#[tokio::test]
async fn s4_2_a_lower_size_is_announced_first_and_held_to() {
    let mut client = mirrored().await;
    client.send(settings(&[(HEADER_TABLE_SIZE, 0)])).await;
    let first = ask(&mut client, 7).await;
    assert_eq!(first[0], Instruction::SizeUpdate(0));
    assert_eq!(size_updates(&first), [0]);
    assert!(!uses_the_table(&first), "{first:?}");
    let second = ask(&mut client, 9).await;
    assert_eq!(size_updates(&second), []);
    assert!(!uses_the_table(&second), "{second:?}");
}

#[tokio::test]
async fn s4_2_any_size_between_is_announced_as_it_is() {
    for octets in [1, 30, 31, 100, 1_337, 4_095] {
        let mut client = mirrored().await;
        client.send(settings(&[(HEADER_TABLE_SIZE, octets)])).await;
        let first = ask(&mut client, 7).await;
        assert_eq!(first[0], Instruction::SizeUpdate(octets as usize));
        assert_eq!(size_updates(&first).len(), 1);
    }
}

#[tokio::test]
async fn s4_2_the_lowest_of_several_sizes_is_announced_and_then_the_last() {
    let frames = [
        settings(&[(HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4_096)]),
        [settings(&[(HEADER_TABLE_SIZE, 0)]), settings(&[(HEADER_TABLE_SIZE, 4_096)])].concat(),
        settings(&[(HEADER_TABLE_SIZE, 2_000), (HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4_096)]),
    ];
    for frames in frames {
        let mut client = mirrored().await;
        client.send(frames).await;
        let first = ask(&mut client, 7).await;
        assert_eq!(first[..2], [Instruction::SizeUpdate(0), Instruction::SizeUpdate(4_096)]);
        assert_eq!(size_updates(&first).len(), 2);
        // The table was emptied on both sides, and may be used again.
        for stream in [9, 11] {
            assert_eq!(size_updates(&ask(&mut client, stream).await), []);
        }
        assert!(uses_the_table(&ask(&mut client, 13).await));
    }
}

#[tokio::test]
async fn s4_2_a_size_of_the_first_settings_is_announced_in_the_first_block() {
    let mut server = Server::accept_from(millpond::Config::builder(), &[(HEADER_TABLE_SIZE, 0)]).await;
    let _first = server.get();
    let block = next(&mut server, 1).await;
    assert_eq!(block[0], Instruction::SizeUpdate(0));
    assert!(!uses_the_table(&block), "{block:?}");
    let _second = server.get();
    assert_eq!(size_updates(&next(&mut server, 3).await), []);

    let mut client = Client::connect_to(MillpondServer::builder(), &[(HEADER_TABLE_SIZE, 0)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    assert_eq!(next(&mut client, 1).await[0], Instruction::SizeUpdate(0));
}

#[tokio::test]
async fn s4_2_a_size_that_rises_again_may_be_used() {
    let mut client = Client::connect_to(MillpondServer::builder(), &[(HEADER_TABLE_SIZE, 0)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    assert_eq!(size_updates(&next(&mut client, 1).await), [0]);
    client.seek(0, 1).await;
    client.send(settings(&[(HEADER_TABLE_SIZE, 500)])).await;
    client.send(headers(3, END, &request("GET", "/", &[]))).await;
    let block = next(&mut client, 3).await;
    assert_eq!((block[0], size_updates(&block).len()), (Instruction::SizeUpdate(500), 1));
}

#[tokio::test]
async fn s6_2_3_what_came_as_never_indexed_goes_on_as_never_indexed() {
    let mut client = mirrored().await;
    let secret = b"\x10\x08x-secret\x03abc";
    for stream in [7, 9, 11] {
        client.send(headers(stream, END, &[&request("GET", "/", &[])[..], secret].concat())).await;
        assert!(next(&mut client, stream).await.contains(&Instruction::NeverIndexed));
    }
}

#[tokio::test]
async fn s7_1_3_secrets_that_could_be_guessed_are_never_indexed() {
    let mut server = Server::accept().await;
    for stream in [1, 3, 5] {
        let request = Request::get("http://pond.example/")
            .header("cookie", "a=1")
            .header("authorization", "Basic YTpi");
        let _call = server.call(request.body(()).unwrap(), Some(b""));
        let block = next(&mut server, stream).await;
        let never = block.iter().filter(|one| **one == Instruction::NeverIndexed);
        assert_eq!(never.count(), 2, "{block:?}");
    }
}
