//! The parts, one by one: the pool, the framer, HPACK.
//!
//! ```text
//! cargo bench --bench parts
//! ```

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderName, HeaderValue, Method};
use millpond::{
    StreamId,
    buffer::{BufferPool, Cursor, Outbound},
    frame::{Frame, FrameReader, ReaderLimits, write},
    hpack::{Decoder, Encoder, FieldLimits, FieldRef},
};

criterion_group!(parts, pool, framer, hpack);
criterion_main!(parts);

fn pool(c: &mut Criterion) {
    let pool = BufferPool::global();
    let mut group = c.benchmark_group("pool");
    for octets in [1 << 10, 16 << 10, 64 << 10] {
        group.bench_function(format!("take and drop {octets}"), |b| b.iter(|| black_box(pool.take(octets))));
        group.bench_function(format!("take, share and drop {octets}"), |b| {
            b.iter(|| {
                let mut block = pool.take(octets);
                block.commit(octets);
                black_box(block.into_bytes())
            });
        });
    }
    group.bench_function("take 64 of 16384, drop them", |b| {
        b.iter(|| {
            let blocks: [_; 64] = std::array::from_fn(|_| pool.take(16 << 10));
            black_box(blocks)
        });
    });
    group.finish();
}

fn framer(c: &mut Criterion) {
    let stream = StreamId::new(1);
    let full_frames = wire(|out| {
        for _ in 0..4 {
            data(out, stream, 16_384);
        }
    });
    let small_frames = wire(|out| (0..64).for_each(|_| data(out, stream, 64)));
    let request = encoded(&mut Encoder::new(4_096));
    let heads = wire(|out| {
        for _ in 0..64 {
            write::headers(out, stream, true, 16_384, request.len(), |spare| {
                spare[..request.len()].copy_from_slice(&request);
                request.len()
            });
        }
    });

    let mut group = c.benchmark_group("framer");
    for (name, wire, block) in [
        ("read 4 DATA of 16384", &full_frames, 64 << 10),
        ("read 4 DATA of 16384, cut into 4096", &full_frames, 4 << 10),
        ("read 64 DATA of 64", &small_frames, 64 << 10),
        ("read 64 HEADERS", &heads, 64 << 10),
        ("read 64 HEADERS, cut into 1024", &heads, 1 << 10),
    ] {
        group.throughput(Throughput::Bytes(wire.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(wire, block)));
    }
    let payload = Bytes::from(vec![7; 16_384]);
    group.throughput(Throughput::Bytes(4 * 16_384));
    group.bench_function("write 4 DATA of 16384", |b| {
        let mut out = Outbound::new(BufferPool::global());
        b.iter(|| {
            for _ in 0..4 {
                write::data_header(&mut out, stream, 16_384, false);
                out.put_bytes(payload.clone());
            }
            out.advance(black_box(out.octets()));
        });
    });
    group.finish();
}

/// Reads all frames of `wire`, in blocks of at most `block` octets, and keeps each piece of DATA for a moment.
fn read(wire: &[u8], block: usize) -> usize {
    let pool = BufferPool::global();
    let mut reader = FrameReader::new(pool.clone(), ReaderLimits::default());
    let mut frames = 0;
    for octets in wire.chunks(block) {
        let mut block = pool.take(octets.len());
        block.append(octets);
        let mut cursor = Cursor::new(block);
        while let Some(frame) = reader.next(&mut cursor).expect("the wire is our own") {
            match frame {
                Frame::Data { payload, .. } => drop(black_box(payload.take())),
                other => drop(black_box(other)),
            }
            frames += 1;
        }
    }
    frames
}

fn hpack(c: &mut Criterion) {
    const LIMITS: FieldLimits = FieldLimits { max_octets: 16 << 10, max_fields: 256 };
    let fields = request();
    let mut group = c.benchmark_group("hpack");
    group.bench_function("encode a gRPC request, first", |b| {
        let mut out = [0; 1024];
        b.iter(|| Encoder::new(4_096).encode(fields.iter(), black_box(&mut out)));
    });
    group.bench_function("encode a gRPC request, again", |b| {
        let mut encoder = Encoder::new(4_096);
        let mut out = [0; 1024];
        b.iter(|| encoder.encode(fields.iter(), black_box(&mut out)));
    });
    let mut encoder = Encoder::new(4_096);
    let (first, again) = (encoded(&mut encoder), encoded(&mut encoder));
    group.bench_function("decode a gRPC request, first", |b| {
        b.iter(|| Decoder::new(4_096).decode(&first, LIMITS, &mut |field| drop(black_box(field))));
    });
    group.bench_function("decode a gRPC request, again", |b| {
        let mut decoder = Decoder::new(4_096);
        decoder.decode(&first, LIMITS, &mut drop).expect("the block is our own");
        b.iter(|| decoder.decode(&again, LIMITS, &mut |field| drop(black_box(field))));
    });
    group.finish();
}

/// The field section of a unary call, as tonic sends it.
struct RequestFields {
    regular: [(HeaderName, HeaderValue); 3],
}

impl RequestFields {
    fn iter(&self) -> impl Iterator<Item = FieldRef<'_>> {
        let pseudo = [
            FieldRef::Method(&Method::POST),
            FieldRef::Scheme("http"),
            FieldRef::Authority("127.0.0.1:50051"),
            FieldRef::Path("/echo.Echo/Unary"),
        ];
        pseudo.into_iter().chain(self.regular.iter().map(|(name, value)| FieldRef::Header(name, value)))
    }
}

fn request() -> RequestFields {
    let field = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    RequestFields {
        regular: [
            field("te", "trailers"),
            field("content-type", "application/grpc"),
            field("user-agent", "tonic/0.14 millpond/0.1"),
        ],
    }
}

/// The request as a field block.
fn encoded(encoder: &mut Encoder) -> Vec<u8> {
    let mut out = [0; 1024];
    let octets = encoder.encode(request().iter(), &mut out);
    out[..octets].to_vec()
}

fn data(out: &mut Outbound, stream: StreamId, octets: u32) {
    write::data_header(out, stream, octets, false);
    out.put(&vec![7; octets as usize]);
}

/// What `put` puts, as it goes over the wire.
fn wire(put: impl FnOnce(&mut Outbound)) -> Vec<u8> {
    let mut out = Outbound::new(BufferPool::global());
    put(&mut out);
    let mut wire = Vec::new();
    while !out.is_empty() {
        let mut slices = [std::io::IoSlice::new(&[]); 16];
        let count = out.slices(&mut slices);
        let from = wire.len();
        slices[..count].iter().for_each(|slice| wire.extend_from_slice(slice));
        out.advance(wire.len() - from);
    }
    wire
}
