//! See `millpond_fuzz::client_connection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millpond_fuzz::client_connection(data));
