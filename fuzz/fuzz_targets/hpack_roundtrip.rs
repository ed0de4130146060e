//! See `millpond_fuzz::hpack_roundtrip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millpond_fuzz::hpack_roundtrip(data));
