//! Field compression (RFC 7541; RFC 9113 §4.3). What our decoder takes and refuses; our encoder is in
//! `hpack_encoder.rs`.

use millpond::{ErrorCode, Server as MillpondServer};

use crate::{
    wire::{
        END, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, block, data, frame, headers, settings,
        settings_ack,
    },
    world::{Client, Server},
};

/// `:method: GET`, `:scheme: http`, `:authority: a`, `:path: /`. Nothing of it enters the table.
const GET: &[u8] = b"\x82\x86\x01\x01a\x84";
/// The same for POST.
const POST: &[u8] = b"\x83\x86\x01\x01a\x84";
/// The same for the path `/fields`: what follows is told back.
const FIELDS: &[u8] = b"\x82\x86\x01\x01a\x04\x07/fields";

/// An integer with a prefix of so many bits (RFC 7541 §5.1).
fn integer(flags: u8, prefix: u32, value: u32) -> Vec<u8> {
    let full = (1_u32 << prefix) - 1;
    if value < full {
        return vec![flags | value as u8];
    }
    let (mut octets, mut rest) = (vec![flags | full as u8], value - full);
    while rest >= 128 {
        octets.push(rest as u8 | 128);
        rest >>= 7;
    }
    octets.push(rest as u8);
    octets
}

fn indexed(index: u32) -> Vec<u8> {
    integer(0x80, 7, index)
}

fn string(octets: &[u8]) -> Vec<u8> {
    [integer(0, 7, octets.len() as u32), octets.to_vec()].concat()
}

/// A literal with incremental indexing and a new name.
fn inserted(name: &str, value: &str) -> Vec<u8> {
    [&[0x40][..], &string(name.as_bytes()), &string(value.as_bytes())].concat()
}

fn size_update(octets: u32) -> Vec<u8> {
    integer(0x20, 5, octets)
}

/// The fields that our server's application sees in a request that ends with this.
async fn fields(client: &mut Client, stream: u32, rest: &[u8]) -> String {
    client.send(headers(stream, END, &[FIELDS, rest].concat())).await;
    String::from_utf8(client.expect_message(stream).await.body).unwrap()
}

/// As [`fields`], size updates first.
async fn fields_after(client: &mut Client, stream: u32, first: &[u8], rest: &[u8]) -> String {
    client.send(headers(stream, END, &[first, FIELDS, rest].concat())).await;
    String::from_utf8(client.expect_message(stream).await.body).unwrap()
}

/// Each of these, after a request line, cannot be decoded: a connection error, for a server and for a client.
async fn cannot_be_decoded(blocks: &[Vec<u8>]) {
    for block in blocks {
        println!("{}", block.escape_ascii());
        let mut client = Client::connect().await;
        client.send(headers(1, END, &[GET, block].concat())).await;
        client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
        assert!(client.seen().is_empty());

        let mut server = Server::accept().await;
        let call = server.get();
        server.expect(HEADERS, 1).await;
        server.send(headers(1, END, &[b"\x88", &block[..]].concat())).await;
        server.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s2_2_the_table_is_one_for_all_streams_of_a_connection() {
    let mut client = Client::connect().await;
    assert_eq!(fields(&mut client, 1, &inserted("x-a", "1")).await, "x-a: 1\n");
    assert_eq!(fields(&mut client, 3, &indexed(62)).await, "x-a: 1\n");
    assert_eq!(
        fields(&mut client, 5, &[inserted("x-b", "2"), indexed(63)].concat()).await,
        "x-b: 2\nx-a: 1\n"
    );
}

#[tokio::test]
async fn s2_2_the_table_of_a_client_is_one_for_all_responses() {
    let mut server = Server::accept().await;
    for (stream, rest) in [(1, inserted("x-a", "1")), (3, indexed(62))] {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send(headers(stream, END, &[b"\x88", &rest[..]].concat())).await;
        assert_eq!(call.reply().await.unwrap().head.headers()["x-a"], "1");
    }
}

#[tokio::test]
async fn s2_3_2_the_table_may_hold_an_entry_twice() {
    let mut client = Client::connect().await;
    let twice = [inserted("x-a", "1"), inserted("x-a", "1"), indexed(62), indexed(63)].concat();
    assert_eq!(fields(&mut client, 1, &twice).await, "x-a: 1\n".repeat(4));
}

#[tokio::test]
async fn s2_3_3_an_index_beyond_both_tables_cannot_be_decoded() {
    let inserted = inserted("x-a", "1");
    cannot_be_decoded(&[
        indexed(62),
        [inserted.clone(), indexed(63)].concat(),
        indexed(127),
        indexed(1_000_000),
        indexed(u32::MAX),
    ])
    .await;
}

#[tokio::test]
async fn s2_3_3_a_name_beyond_both_tables_cannot_be_decoded() {
    let forms = [(0x40, 6), (0, 4), (0x10, 4)];
    let blocks = forms.map(|(flags, prefix)| [integer(flags, prefix, 70), string(b"empty")].concat());
    cannot_be_decoded(&blocks).await;
}

#[tokio::test]
async fn s3_2_fields_keep_their_order() {
    let mut client = Client::connect().await;
    let rest = [block(&[("x-a", "1")]), inserted("x-a", "2"), block(&[("x-a", "3")]), indexed(62)].concat();
    assert_eq!(fields(&mut client, 1, &rest).await, "x-a: 1\nx-a: 2\nx-a: 3\nx-a: 2\n");
}

#[tokio::test]
async fn s4_1_an_entry_counts_its_octets_and_32() {
    // 4,096 octets are 64 entries of 64: the 65th evicts the first.
    let mut client = Client::connect().await;
    let entry = |n: u32| inserted("x-count", &format!("{n:025}"));
    let many: Vec<u8> = (0..64).flat_map(entry).collect();
    client.send(headers(1, END, &[GET, &many[..]].concat())).await;
    client.expect_message(1).await;
    assert_eq!(fields(&mut client, 3, &indexed(62 + 63)).await, format!("x-count: {:025}\n", 0));
    assert_eq!(
        fields(&mut client, 5, &[entry(64), indexed(62 + 63)].concat()).await.lines().last(),
        Some(&*format!("x-count: {:025}", 1))
    );
    client.send(headers(7, END, &[GET, &indexed(62 + 64)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_2_a_size_update_comes_at_the_beginning_of_a_block() {
    let mut client = Client::connect().await;
    assert_eq!(fields_after(&mut client, 1, &size_update(100), b"").await, "");
    cannot_be_decoded(&[
        size_update(100),
        [block(&[("x-a", "1")]), size_update(100)].concat(),
        [size_update(100), block(&[("x-a", "1")])].concat(),
    ])
    .await;
}

#[tokio::test]
async fn s4_2_two_size_updates_may_come_at_the_beginning() {
    let mut client = Client::connect().await;
    fields(&mut client, 1, &inserted("x-a", "1")).await;
    let updates = [size_update(0), size_update(4_096)].concat();
    assert_eq!(fields_after(&mut client, 3, &updates, &inserted("x-b", "2")).await, "x-b: 2\n");
    assert_eq!(fields(&mut client, 5, &indexed(62)).await, "x-b: 2\n");
    // The first of them emptied the table.
    client.send(headers(7, END, &[GET, &indexed(63)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_2_a_block_may_be_size_updates_alone() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, POST)).await;
    client.send([data(1, 0, b"body"), headers(1, END_STREAM, &size_update(10))].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"body");
}

#[tokio::test]
async fn s4_2_a_lower_limit_is_confirmed_in_the_first_block_after_its_acknowledgement() {
    let server = || MillpondServer::builder().header_table_size(100);
    for first in [&[][..], &size_update(101), &size_update(4_096)] {
        let mut client = Client::connect_to(server(), &[]).await;
        client.send(headers(1, END, &[first, GET].concat())).await;
        client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
    }
    for first in [size_update(100), size_update(0), [size_update(0), size_update(100)].concat()] {
        let mut client = Client::connect_to(server(), &[]).await;
        assert_eq!(fields_after(&mut client, 1, &first, b"").await, "");
        // Once is enough.
        assert_eq!(fields(&mut client, 3, b"").await, "");
    }
}

#[tokio::test]
async fn s4_2_a_lower_limit_does_not_hold_before_its_acknowledgement() {
    let mut client = Client::open(MillpondServer::builder().header_table_size(0)).await;
    client.send([PREFACE, &settings(&[])].concat()).await;
    client.seek(SETTINGS, 0).await;
    assert_eq!(fields(&mut client, 1, &inserted("x-a", "1")).await, "x-a: 1\n");
    assert_eq!(fields(&mut client, 3, &indexed(62)).await, "x-a: 1\n");
    client.send(settings_ack()).await;
    client.send(headers(5, END, &[GET, &indexed(62)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_2_a_higher_limit_may_be_used_and_need_not() {
    let mut client = Client::connect_to(MillpondServer::builder().header_table_size(8_192), &[]).await;
    assert_eq!(fields(&mut client, 1, b"").await, "");
    assert_eq!(fields_after(&mut client, 3, &size_update(8_192), b"").await, "");
    client.send(headers(5, END, &[size_update(8_193), GET.to_vec()].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_3_a_smaller_table_evicts_the_oldest_entries() {
    let mut client = Client::connect().await;
    fields(&mut client, 1, &[inserted("x-a", "1"), inserted("x-b", "2")].concat()).await;
    // Room for one entry of 36 octets.
    assert_eq!(fields_after(&mut client, 3, &size_update(71), &indexed(62)).await, "x-b: 2\n");
    client.send(headers(5, END, &[GET, &indexed(63)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_4_an_entry_larger_than_the_table_empties_it() {
    let mut client = Client::connect().await;
    fields(&mut client, 1, &inserted("x-a", "1")).await;
    let large = "l".repeat(4_096);
    assert_eq!(fields(&mut client, 3, &inserted("x-large", &large)).await, format!("x-large: {large}\n"));
    client.send(headers(5, END, &[GET, &indexed(62)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_4_a_new_entry_may_take_its_name_from_one_that_it_evicts() {
    let mut client = Client::connect().await;
    fields_after(&mut client, 1, &size_update(36), &inserted("x-a", "1")).await;
    let again = [integer(0x40, 6, 62), string(b"2")].concat();
    assert_eq!(fields(&mut client, 3, &again).await, "x-a: 2\n");
    assert_eq!(fields(&mut client, 5, &indexed(62)).await, "x-a: 2\n");
    // The same where it does not fit at all.
    let larger = [integer(0x40, 6, 62), string(b"22")].concat();
    assert_eq!(fields(&mut client, 7, &larger).await, "x-a: 22\n");
}

#[tokio::test]
async fn s5_1_integers_may_have_zeros_in_front() {
    let mut client = Client::connect().await;
    // 3 octets of value: 127 - 127 + 3, then 0.
    let padded = [&[0][..], &string(b"x-a"), b"\x7f\x84\x80\x00", &[b'v'; 131]].concat();
    assert_eq!(fields(&mut client, 1, &padded).await, format!("x-a: {}\n", "v".repeat(131)));
}

#[tokio::test]
async fn s5_1_integers_too_large_or_too_long_cannot_be_decoded() {
    cannot_be_decoded(&[
        // An index of 2^32 and more.
        b"\xff\x81\xff\xff\xff\x0f".to_vec(),
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        // Without end.
        [&b"\xff"[..], &[0x80; 64], b"\x00"].concat(),
        [&b"\x0f"[..], &[0xff; 64]].concat(),
        // A length.
        b"\x00\x7f\xff\xff\xff\xff\xff\xff\x01a\x01b".to_vec(),
    ])
    .await;
}

#[tokio::test]
async fn s5_1_and_s5_2_a_block_that_ends_too_early_cannot_be_decoded() {
    let whole = [&b"\x40"[..], &string(&[b'x'; 130]), &string(&[b'v'; 130])].concat();
    let cuts = [1, 2, 3, 4, 132, 133, 134, whole.len() - 1];
    cannot_be_decoded(&cuts.map(|cut| whole[..cut].to_vec())).await;
}

#[tokio::test]
async fn s5_2_huffman_codes_are_read_in_names_and_values() {
    let mut client = Client::connect().await;
    // RFC 7541 C.4.3: custom-key: custom-value.
    let coded = b"\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
    assert_eq!(fields(&mut client, 1, coded).await, "custom-key: custom-value\n");
    // An empty string needs no octet.
    assert_eq!(fields(&mut client, 3, b"\x00\x01x\x80").await, "x: \n");
}

#[tokio::test]
async fn s5_2_huffman_padding_is_the_beginning_of_eos_and_shorter_than_an_octet() {
    cannot_be_decoded(&[
        // "a" (00011) and eleven bits of padding.
        b"\x00\x01x\x82\x1f\xff".to_vec(),
        // An octet of padding alone.
        b"\x00\x01x\x81\xff".to_vec(),
        // "a" padded with zeros; with one zero among ones.
        b"\x00\x01x\x81\x18".to_vec(),
        b"\x00\x01x\x81\x1d".to_vec(),
        // In the name.
        b"\x00\x82\x1f\xff\x01v".to_vec(),
    ])
    .await;
}

#[tokio::test]
async fn s5_2_eos_in_a_string_cannot_be_decoded() {
    cannot_be_decoded(&[
        // EOS is thirty ones.
        b"\x00\x01x\x84\xff\xff\xff\xff".to_vec(),
        // "a", EOS, "a", padding.
        b"\x00\x01x\x85\x1f\xff\xff\xff\xe3".to_vec(),
    ])
    .await;
}

#[tokio::test]
async fn s6_1_index_0_cannot_be_decoded() {
    cannot_be_decoded(&[indexed(0)]).await;
}

#[tokio::test]
async fn s6_1_every_index_of_the_static_table_is_known() {
    let mut client = Client::connect().await;
    let mut rest = Vec::new();
    // Those that are no pseudo-header field, and may be empty.
    for index in (15..=61).filter(|index| ![28, 38, 57].contains(index)) {
        rest.extend(indexed(index));
    }
    let text = fields(&mut client, 1, &rest).await;
    assert_eq!(text.lines().next(), Some("accept-charset: "));
    assert!(
        text.contains("accept-encoding: gzip, deflate\n") && text.ends_with("www-authenticate: \n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 44);
}

#[tokio::test]
async fn s6_2_only_incremental_indexing_enters_the_table() {
    let mut client = Client::connect().await;
    for (stream, flags) in [(1, 0), (5, 0x10)] {
        let literal = [&[flags][..], &string(b"x-a"), &string(b"1")].concat();
        assert_eq!(fields(&mut client, stream, &literal).await, "x-a: 1\n");
        let known_name = [integer(flags, 4, 58), string(b"mill")].concat();
        assert_eq!(fields(&mut client, stream + 2, &known_name).await, "user-agent: mill\n");
    }
    let known_name = [integer(0x40, 6, 58), string(b"mill")].concat();
    assert_eq!(
        fields(&mut client, 21, &[known_name, indexed(62)].concat()).await,
        "user-agent: mill\nuser-agent: mill\n"
    );
    client.send(headers(23, END, &[GET, &indexed(63)].concat())).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s6_3_a_size_above_the_limit_cannot_be_decoded() {
    for update in [size_update(4_097), size_update(u32::MAX), [size_update(0), size_update(4_097)].concat()] {
        let mut client = Client::connect().await;
        client.send(headers(1, END, &[&update, GET].concat())).await;
        client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
    }
}

#[tokio::test]
async fn rfc9113_4_3_blocks_of_messages_that_are_refused_still_count_for_the_table() {
    let server = MillpondServer::builder().max_concurrent_streams(Some(1)).max_header_list_size(1_000);
    let mut client = Client::connect_to(server, &[]).await;
    // Malformed.
    client.send(headers(1, END, &[GET, &inserted("X-Upper", "a"), &inserted("x-a", "1")].concat())).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    // Beyond the limit of concurrent streams.
    client.send(headers(3, 0, POST)).await;
    client.send(headers(5, END, &[GET, &inserted("x-b", "2")].concat())).await;
    client.expect_stream_error(5, ErrorCode::REFUSED_STREAM).await;
    // Trailers.
    client.send(headers(3, END_STREAM, &inserted("x-c", "3"))).await;
    client.expect_message(3).await;
    assert_eq!(
        fields(&mut client, 7, &[indexed(62), indexed(63), indexed(64)].concat()).await,
        "x-c: 3\nx-b: 2\nx-a: 1\n"
    );
}

#[tokio::test]
async fn rfc9113_4_3_a_client_reads_the_block_of_a_response_that_nobody_wants() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    call.cancel().await;
    server.expect(RST_STREAM, 1).await;
    server.send(headers(1, END, &[b"\x88", &inserted("x-a", "1")[..]].concat())).await;
    let call = server.get();
    server.expect(HEADERS, 3).await;
    server.send(headers(3, END, b"\x88\xbe")).await;
    assert_eq!(call.reply().await.unwrap().head.headers()["x-a"], "1");
}

#[tokio::test]
async fn rfc9113_4_3_a_block_may_be_cut_anywhere() {
    let block = [FIELDS, &inserted("x-a", "1")].concat();
    for cut in 0..=block.len() {
        let mut client = Client::connect().await;
        client.send(frame(HEADERS, END_STREAM, 1, &block[..cut])).await;
        client.send(frame(9, END & !END_STREAM, 1, &block[cut..])).await;
        assert_eq!(client.expect_message(1).await.body, b"x-a: 1\n");
    }
}
