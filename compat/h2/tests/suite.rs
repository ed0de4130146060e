//! Conversations on the wire, each held twice: with the real `h2`, which shows that the test is right about
//! what `h2` does, and with this crate.
#![allow(clippy::duplicate_mod, reason = "one suite, two implementations")]

mod mock;

#[path = "."]
mod on_h2 {
    pub(crate) use real_h2 as h2;
    #[path = "suite/mod.rs"]
    mod suite;
}

#[path = "."]
mod on_millpond {
    pub(crate) use ::h2;
    #[path = "suite/mod.rs"]
    mod suite;
}
