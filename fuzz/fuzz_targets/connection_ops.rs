//! See `millpond_fuzz::connection_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millpond_fuzz::connection_ops(data));
