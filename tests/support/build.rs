//! Compiles the service definitions without `protoc`: `protox` parses them, `tonic-prost-build` writes the Rust.

#[cfg(not(feature = "echo"))]
fn main() {}

#[cfg(feature = "echo")]
fn main() {
    const PROTOS: [&str; 2] = ["proto/echo.proto", "proto/greeter.proto"];
    for proto in PROTOS {
        println!("cargo::rerun-if-changed={proto}");
    }
    let descriptors =
        protox::compile(PROTOS, ["proto"]).expect("the service definitions are our own and compile");
    tonic_prost_build::configure()
        // `Bytes` fields share the received buffer, so a bench of large messages measures the transport, not memcpy.
        .bytes(".")
        .compile_fds(descriptors)
        .expect("Cargo gives a build script an output directory");
}
