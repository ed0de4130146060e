//! Builds the crate for the model checker. Set here and not in RUSTFLAGS, so that it holds for the crate alone: tokio
//! and others have models of their own.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(loom)");
    println!("cargo::rustc-cfg=loom");
}
