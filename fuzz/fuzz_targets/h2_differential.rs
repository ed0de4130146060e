//! See `millpond_fuzz::h2_differential`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millpond_fuzz::h2_differential(data));
