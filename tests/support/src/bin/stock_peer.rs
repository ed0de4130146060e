//! The stock peer: what the peers in `tests/peers/` are in other languages, in Rust with stock crates.
//!
//! ```text
//! stock_peer server [tonic|gzip|hyper|h2]   prints `listening on ADDR` and serves (gzip: tonic that compresses)
//! stock_peer client ADDR [--require-gzip]   talks to a server, prints `N passed, 0 failed`
//! ```

use std::error::Error;
use std::io;
use std::process::ExitCode;

use millpond_testkit::{conversation, echo, process, stock};
use tokio::runtime::Handle;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => serve("tonic"),
        ["server", kind] => serve(kind),
        ["client", addr] => talk(addr, false).await,
        ["client", addr, "--require-gzip"] => talk(addr, true).await,
        _ => Err("usage: stock_peer server [tonic|gzip|hyper|h2] | client ADDR [--require-gzip]".into()),
    }
}

fn serve(kind: &str) -> Result<ExitCode, Box<dyn Error>> {
    let here = Handle::current();
    let server = match kind {
        "tonic" => stock::tonic_server(&here, echo::routes())?,
        "gzip" => stock::tonic_server(&here, echo::gzip_routes())?,
        "hyper" => stock::hyper_server(&here)?,
        "h2" => stock::h2_server(&here)?,
        _ => return Err(format!("there is no {kind} server").into()),
    };
    println!("listening on {}", server.addr());
    if std::env::var_os(process::ENDS_WITH_STDIN).is_some() {
        io::copy(&mut io::stdin(), &mut io::sink())?;
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::park();
    }
}

async fn talk(addr: &str, gzip: bool) -> Result<ExitCode, Box<dyn Error>> {
    let channel = stock::tonic_channel(addr.parse()?).await?;
    let mut tally = conversation::hold(channel.clone()).await;
    if gzip {
        let compressed = conversation::hold_gzip(channel).await;
        tally.passed += compressed.passed;
        tally.failures.extend(compressed.failures);
    }
    println!("{tally}");
    Ok(if tally.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
