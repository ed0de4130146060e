//! The differences that are meant, in one table.
//!
//! Always true here: each is named in the facade's documentation or is a fault of h2's; a script in which one could
//! show is compared in everything else.

use crate::{
    script::{Act, Do, Fault, SENSITIVE, Script, Side, Step, What, Wire},
    trace::{Event, Failure},
};

/// One difference.
pub struct Known {
    /// What the facade does, and h2 does not.
    pub what: &'static str,
    pub why: &'static str,
    pub how: How,
}

/// How the comparison sees to it.
pub enum How {
    /// Scripts do not do what would show it.
    Avoided,
    /// An event of a script is made the same for both.
    Levelled(fn(&Script, Event) -> Event),
    /// An event that only the facade has, behind these others of the same direction.
    More(fn(&[(usize, Event)], &Event) -> bool),
    /// What was found does not count if the script, cut down to what it takes, is of this kind.
    Excused(fn(&Script) -> bool),
}

pub const KNOWN: [Known; 18] = [
    Known {
        what: "a field that came as never indexed is marked sensitive",
        why: "whoever passes it on must not index it either (RFC 7541 §6.2.3)",
        how: How::Levelled(|_, event| match event {
            Event::Came(what, text) => Event::Came(what, text.replace(SENSITIVE, "")),
            other => other,
        }),
    },
    Known {
        what: "when writing fails, streams are told the socket's error at once, not of a broken pipe later",
        why: "it says more",
        how: How::Levelled(|script, event| match event {
            Event::Failed(what, failure) if what != "end" => Event::Failed(what, level_io(script, failure)),
            Event::Called(what, Err(failure)) => Event::Called(what, Err(level_io(script, failure))),
            other => other,
        }),
    },
    Known {
        what: "a stream that both sides have ended hears of a reset that comes before its last octets are written",
        why: "what was queued is dropped, and nobody else would say so",
        how: How::More(|before, event| {
            matches!(event, Event::Came("reset", _)) && before.iter().any(|(_, event)| *event == Event::Ended)
        }),
    },
    Known {
        what: "malformed messages are refused: without :path or :authority, with userinfo, with more than one `te`",
        why: "RFC 9113 §8.1.1 says so",
        how: How::Avoided,
    },
    Known {
        what: "DATA in a response that has no content is refused",
        why: "RFC 9113 §8.1.1 says so",
        how: How::Avoided,
    },
    Known {
        what: "`content-length` in messages of CONNECT and in informational ones has no meaning",
        why: "RFC 9110 §9.3.6 and §8.6 say so",
        how: How::Avoided,
    },
    Known {
        what: "trailers above the limit of a field section are refused",
        why: "h2 leaves fields out without a word",
        how: How::Avoided,
    },
    Known {
        what: "a field section above the limit that comes in several frames is answered with 431",
        why: "h2 may end the connection",
        how: How::Avoided,
    },
    Known {
        what: "a URI of an authority alone, without CONNECT, has the scheme `http` and the path `/`",
        why: "h2 sends a request that every server refuses",
        how: How::Avoided,
    },
    Known {
        what: "a PING of the application is sent while the one of a graceful shutdown is under way",
        why: "h2 keeps it back",
        how: How::Avoided,
    },
    Known {
        what: "a frame that breaks a rule is refused before it is whole",
        why: "its octets are not kept until it is",
        how: How::Avoided,
    },
    Known {
        what: "nothing is sent on a stream that was reset, informational heads neither",
        why: "h2 does, and its peer answers with STREAM_CLOSED",
        how: How::Avoided,
    },
    Known {
        what: "the place of a stream among the concurrent ones is free when it has ended",
        why: "h2 waits until its last frame is written, and refuses what may come",
        how: How::Excused(|script| {
            let at_once = script.steps.iter().any(|step| step.at_once);
            has_few_places(script) && (at_once || acts(script).any(|(.., act)| breaks_length(act)))
        }),
    },
    Known {
        what: "a request that is reset while it waits for its place sends its DATA before only if the windows take it all",
        why: "h2 keeps the stream, and the credit set aside for it, until they do",
        how: How::Excused(|script| {
            let sends = |act: &Act| matches!(act, Act::Send { .. } | Act::Pump { .. } | Act::Reserve(_));
            let mut gone = acts(script).filter(|(side, _, act)| *side == Side::Client && ends(act));
            let sent = |stream| {
                acts(script).any(|(side, of, act)| (side, of) == (Side::Client, stream) && sends(act))
            };
            has_few_places(script) && gone.any(|(_, stream, _)| sent(stream))
        }),
    },
    Known {
        what: "a reset by the peer that crosses ours changes no cause",
        why: "the application knows its own; h2 shows the one that came last",
        how: How::Excused(|script| {
            let mut streams = acts(script).map(|(_, stream, _)| stream);
            streams.any(|stream| {
                let of = || acts(script).filter(move |(_, of, _)| *of == stream);
                let ended = |by| of().any(|(side, _, act)| side == by && ends(act));
                let broken = of().filter(|(.., act)| breaks_length(act)).count();
                let ends = Side::BOTH.into_iter().filter(|side| ended(*side)).count();
                ends + broken + usize::from(has_small_heads(script)) > 1
            })
        }),
    },
    Known {
        what: "credit that was released is announced when the window is lowered",
        why: "h2 waits for the next release, for ever if need be",
        how: How::Avoided,
    },
    Known {
        what: "`available_capacity` of a stream that has ended follows no later change of the windows",
        why: "nobody can send on it",
        how: How::Avoided,
    },
    Known {
        what: "after a GOAWAY, requests fail for that reason even when reading has failed since",
        why: "it came first and says more",
        how: How::Excused(|script| {
            let says = |step: &Step| matches!(step.what, What::Connection(_, Do::Graceful | Do::Abrupt(_)));
            script.steps.iter().any(says) && script.steps.iter().any(|step| is_cut(&step.what))
        }),
    },
];

fn acts(script: &Script) -> impl Iterator<Item = (Side, u32, &Act)> {
    script.steps.iter().filter_map(|step| match &step.what {
        What::Stream(side, stream, act) => Some((*side, *stream, act)),
        _ => None,
    })
}

fn ends(act: &Act) -> bool {
    matches!(act, Act::Reset(_) | Act::Drop(_))
}

/// Whether a limit of concurrent streams matters.
fn has_few_places(script: &Script) -> bool {
    script.server.max_concurrent.is_some() || script.client.initial_max_send.is_some()
}

/// Whether a limit of field sections matters.
fn has_small_heads(script: &Script) -> bool {
    script.client.max_header_list.is_some() || script.server.max_header_list.is_some()
}

/// Whether it has a `content-length` that may be wrong.
fn breaks_length(act: &Act) -> bool {
    let fields = match act {
        Act::Request { head, .. } => &head.fields,
        Act::Respond(head) => &head.fields,
        _ => return false,
    };
    fields.named.iter().any(|(name, _)| *name == "content-length")
}

fn is_cut(what: &What) -> bool {
    matches!(what, What::Wire(_, Wire::Cut(..)))
}

/// That it is a socket's error, if the script has a write that fails.
fn level_io(script: &Script, failure: Failure) -> Failure {
    let fails = |what: &What| matches!(what, What::Wire(_, Wire::Cut(_, Fault::Writes(_))));
    match failure.io {
        Some(_) if script.steps.iter().any(|step| fails(&step.what)) => Failure {
            text: "a socket's error".into(),
            debug: String::new(),
            io: Some(std::io::ErrorKind::Other),
            ..failure
        },
        _ => failure,
    }
}

/// The table, to be read.
pub fn list() -> String {
    KNOWN.iter().map(|known| format!("- {}: {}\n", known.what, known.why)).collect()
}

/// The event without what is known to differ.
pub fn level(script: &Script, event: Event) -> Event {
    KNOWN.iter().fold(event, |event, known| match known.how {
        How::Levelled(level) => level(script, event),
        _ => event,
    })
}

/// Whether what was found over this script, which is cut down to what it takes, is known.
pub fn is_excused(script: &Script) -> bool {
    KNOWN.iter().any(|known| matches!(known.how, How::Excused(excused) if excused(script)))
}

/// Whether only the facade may have this event, behind those.
pub fn is_more(before: &[(usize, Event)], event: &Event) -> bool {
    KNOWN.iter().any(|known| matches!(known.how, How::More(more) if more(before, event)))
}
