//! The facade and the real h2: what one peer sends is given to both, under an application that does the same with both.
//!
//! The judge: requests are accepted alike, with the same fields, bodies and trailers; streams and connections end with
//! the same errors; and what is written in answer is the same, frame by frame on every stream. What may differ stands
//! in [`known`].
#![allow(clippy::duplicate_mod, reason = "one application, two implementations")]

mod known;
mod pipe;
mod script;
mod seen;
mod wire;

#[path = "."]
mod on_h2 {
    pub(crate) use ::h2;
    #[path = "server.rs"]
    pub(crate) mod server;
}

#[path = "."]
mod on_facade {
    pub(crate) use ::h2_facade as h2;
    #[path = "server.rs"]
    pub(crate) mod server;
}

use self::script::Script;

/// A server of each, and any peer.
pub fn h2_differential(data: &[u8]) {
    let script = Script::new(data);
    let expected = on_h2::server::run(&script);
    let (seen, broken) = known::with_rules_broken(|| on_facade::server::run(&script));
    if let Some(text) = known::judge(&expected, &seen, &broken) {
        panic!("{text}{broken:?}\n{script:?}\nh2:\n{expected}facade:\n{seen}");
    }
}
