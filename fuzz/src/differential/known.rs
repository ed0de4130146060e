//! The differences that are meant, in one table.
//!
//! Always true here: the facade says which rule it holds the peer to have broken; a difference of this table counts
//! only where that is the rule in question.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use millpond::Misdeed;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::seen::Seen;

/// One difference.
struct Known {
    /// What the facade does, and h2 does not.
    what: &'static str,
    why: &'static str,
    /// The rules by which it holds the peer to account there.
    rules: &'static [Misdeed],
    /// Whether it may show in what h2, and the facade, gave.
    when: fn(&Seen, &Seen) -> bool,
    /// Whether the connection goes another way from there on; otherwise only what was sent on that stream, if only
    /// that one ended for it.
    whole: bool,
}

const KNOWN: [Known; 25] = [
    Known {
        what: "pseudo-header fields in trailers are refused",
        why: "RFC 9113 §8.1 says so; h2 leaves them out",
        rules: &[Misdeed::BadPseudoField],
        when: |_, _| true,
        whole: false,
    },
    Known {
        what: "the first frame of the peer has to be SETTINGS",
        why: "RFC 9113 §3.4 says so; h2 takes any",
        rules: &[Misdeed::FrameBeforeSettings],
        when: |_, _| true,
        whole: true,
    },
    Known {
        what: "SETTINGS_NO_RFC7540_PRIORITIES is 0 or 1",
        why: "RFC 9218 §2.1 says so; h2 does not know it",
        rules: &[Misdeed::SettingsValueInvalid],
        when: |_, _| true,
        whole: true,
    },
    Known {
        what: "of two rules that one frame breaks, that of its place comes first, then that of the windows",
        why: "a frame that may not be there is not read, and one that is too large is charged before it is read",
        rules: &[Misdeed::FieldBlockInterrupted, Misdeed::PaddingTooLong, Misdeed::WindowExceeded],
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "a head where none may come ends the connection, malformed or not",
        why: "RFC 9113 §5.1, §5.1.1 and §8.4 say so; h2 resets the stream if it is malformed",
        rules: &[
            Misdeed::EvenStreamId,
            Misdeed::HeadersAfterEnd,
            Misdeed::PushDisabled,
            Misdeed::StreamIdDecreased,
        ],
        when: |_, _| true,
        whole: true,
    },
    Known {
        what: "what follows a malformed request on its stream is passed over",
        why: "the reset is on its way to the peer (RFC 9113 §5.4.2); h2 ends the connection",
        rules: MALFORMED,
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "the rest of a head whose stream depends on itself is read all the same",
        why: "RFC 9113 §6.2 (padding), §4.3 (the field table has to advance); h2 passes over it",
        rules: &[
            Misdeed::PaddingTooLong,
            Misdeed::BadFieldBlock,
            Misdeed::FieldBlockTooLarge,
            Misdeed::FieldSectionFarTooLarge,
            Misdeed::FieldNameInvalid,
            Misdeed::FieldValueInvalid,
        ],
        when: |h2, facade| h2.resets() > facade.resets(),
        whole: true,
    },
    Known {
        what: "a field section that is too large is answered with 431, whatever else is wrong with it",
        why: "its fields are not looked at any more; h2 may reset the stream, or end the connection",
        rules: &[],
        when: |h2, facade| {
            let only_resets = h2.resets() > 0 && !h2.writes("Status(431)");
            facade.writes("Status(431)") && (fails(h2) || h2.resets() > facade.resets() || only_resets)
        },
        whole: true,
    },
    Known {
        what: "trailers that are too large end their stream, whatever else is wrong with them",
        why: "the same; an empty name ends the connection of h2",
        rules: &[Misdeed::FieldSectionTooLarge],
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "of one that is far too large and cannot be decoded, what is noticed first counts",
        why: "frames are read as they come",
        rules: &[Misdeed::BadFieldBlock, Misdeed::FieldBlockTooLarge, Misdeed::FieldSectionFarTooLarge],
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "one that is far too large is, however it was cut",
        why: "h2 begins to count again with each frame, if the last one ended within a field, and may answer that",
        rules: &[Misdeed::FieldSectionFarTooLarge],
        when: |h2, facade| h2.writes("Status(431)") || (!fails(h2) && h2.resets() > facade.resets()),
        whole: true,
    },
    Known {
        what: "a field block that has begun is ended before anything else comes, malformed or not",
        why: "RFC 9113 §6.10; h2 resets the stream for the part that it has seen, and waits for no more",
        rules: &[Misdeed::FieldBlockInterrupted],
        when: |h2, facade| h2.resets() > facade.resets(),
        whole: true,
    },
    Known {
        what: "a stream that the peer has reset before our reset of it is written is reset all the same",
        why: "RFC 9113 §5.4.2 lets both do so; h2 takes its own back",
        rules: Misdeed::ALL,
        when: |h2, facade| facade.resets() > h2.resets() || (hears_reset(h2) && !hears_reset(facade)),
        whole: false,
    },
    Known {
        what: "what follows on such a stream, or on one that ended long ago and was reset for that, is passed over",
        why: "it crosses our reset (RFC 9113 §5.4.2); h2 has taken that back, or forgot it, and ends the connection",
        rules: &[Misdeed::DataOnClosedStream, Misdeed::TrailersWithoutEnd],
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "DATA on a stream that ended long ago is answered once",
        why: "RFC 9113 §5.1 asks for no more; h2 does so again whenever it has forgotten its last answer",
        rules: &[Misdeed::DataOnClosedStream],
        when: |h2, _| h2.resets_again(),
        whole: false,
    },
    Known {
        what: "resets that wait when the connection fails are not written",
        why: "GOAWAY says it of all streams",
        rules: Misdeed::ALL,
        when: |h2, facade| fails(h2) && fails(facade) && h2.resets() > facade.resets(),
        whole: false,
    },
    Known {
        what: "of two rules that a head breaks, the limit of streams comes first",
        why: "a request that is refused is not read",
        rules: &[Misdeed::StreamLimitExceeded],
        when: |h2, facade| h2.resets() == facade.resets(),
        whole: false,
    },
    Known {
        what: "and its fields are decoded, but not looked at",
        why: "the field table has to advance (RFC 9113 §4.3), no more; an empty name ends the connection of h2",
        rules: &[Misdeed::StreamLimitExceeded],
        when: |h2, _| fails(h2),
        whole: true,
    },
    Known {
        what: "a request that is malformed in one frame of its field block is malformed",
        why: "RFC 9113 §8.1.1; h2 forgets it when the block goes on in CONTINUATION, and takes the request",
        rules: &[Misdeed::BadPseudoField, Misdeed::ConnectionSpecificField],
        when: takes_more,
        whole: true,
    },
    Known {
        what: "a stream that has ended takes no place among the concurrent ones",
        why: "h2 waits until its last frame is written, and refuses what may come",
        rules: &[],
        when: |h2, facade| h2.refuses_another(facade),
        whole: true,
    },
    Known {
        what: "a malformed request was not processed: GOAWAY does not name it",
        why: "RFC 9113 §6.8",
        rules: MALFORMED,
        when: |h2, facade| h2.writes("GOAWAY") || facade.writes("GOAWAY"),
        whole: true,
    },
    Known {
        what: "a peer that goes away and whose last stream was reset is not heard any more",
        why: "nothing is left to say (RFC 9113 §6.8); h2 reads on until the reset is written",
        rules: &[Misdeed::WindowOverflow],
        when: |h2, facade| {
            let gone = |seen: &Seen| seen.hears("connection error received");
            gone(h2) && gone(facade) && facade.writes("NO_ERROR")
        },
        whole: true,
    },
    Known {
        what: "an empty field name ends the connection",
        why: "RFC 9113 §8.2.1; h2 takes it for a block that was cut",
        rules: &[Misdeed::FieldNameInvalid],
        when: |h2, _| !fails(h2),
        whole: true,
    },
    Known {
        what: "credit that was released is announced when the window is lowered",
        why: "h2 waits for the next release, for ever if need be",
        rules: &[],
        when: |h2, facade| h2.credit() < facade.credit() && h2.without_credit() == facade.without_credit(),
        whole: true,
    },
    Known {
        what: "and who uses that credit exceeds no window",
        why: "h2 has not announced it, so there the stream ends with FLOW_CONTROL_ERROR",
        rules: &[],
        when: |h2, facade| {
            // The reset may not be written any more, if the connection fails.
            let exceeds = |seen: &Seen| {
                seen.writes("FLOW_CONTROL_ERROR") || seen.hears("detected: flow-control protocol violated")
            };
            h2.credit() < facade.credit() && exceeds(h2) && !exceeds(facade)
        },
        whole: true,
    },
];

/// What makes a request malformed, but for names and values, which end the connection.
const MALFORMED: &[Misdeed] =
    &[Misdeed::BadPseudoField, Misdeed::BodyLengthMismatch, Misdeed::ConnectionSpecificField];

/// Whether the connection ended for something that the peer did.
fn fails(seen: &Seen) -> bool {
    seen.heard.get(&0).is_some_and(|lines| lines.iter().any(|line| line.contains("failed")))
}

/// Whether a request came to the application over h2 that did not over the facade.
fn takes_more(h2: &Seen, facade: &Seen) -> bool {
    h2.heard.keys().any(|stream| !facade.heard.contains_key(stream))
}

/// Whether the application heard that the peer reset a stream.
fn hears_reset(seen: &Seen) -> bool {
    seen.hears("stream error received")
}

/// A rule that the facade saw broken, and on which stream if only that one ended for it.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    stream: Option<u32>,
    misdeed: Misdeed,
}

/// What is different, if anything is that may not.
pub fn judge(h2: &Seen, facade: &Seen, broken: &[Broken]) -> Option<String> {
    let shows = |known: &&Known| (known.when)(h2, facade);
    let mut streams = Vec::new();
    for known in KNOWN.iter().filter(shows) {
        let of_it = || broken.iter().filter(|broken| known.rules.contains(&broken.misdeed));
        if known.rules.is_empty() || (known.whole && of_it().next().is_some()) {
            return None;
        }
        streams.extend(of_it().filter_map(|broken| broken.stream));
    }
    let [h2, facade] = [h2, facade].map(|seen| seen.without(&streams));
    // Of what is left, the differences that are no rule's.
    let meant = |known: &Known| known.rules.is_empty() && (known.when)(&h2, &facade);
    if h2 == facade || KNOWN.iter().any(meant) {
        return None;
    }
    let mut text = String::from("the facade and h2 differ:\n");
    for (name, h2, facade) in [("heard", &h2.heard, &facade.heard), ("written", &h2.written, &facade.written)]
    {
        let streams: BTreeSet<_> = h2.keys().chain(facade.keys()).collect();
        for stream in streams {
            let (h2, facade) = (h2.get(stream), facade.get(stream));
            if h2 != facade {
                text += &format!("{name} {stream}\n  h2:     {h2:?}\n  facade: {facade:?}\n");
            }
        }
    }
    text += &format!("rules broken, to the facade: {broken:?}\nnot counted:\n");
    text.extend(KNOWN.iter().map(|known| format!("- {}: {}\n", known.what, known.why)));
    Some(text)
}

/// Runs this, and gives the rules that it saw broken as well.
pub fn with_rules_broken<T>(run: impl FnOnce() -> T) -> (T, Vec<Broken>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let result = tracing::subscriber::with_default(Listener(heard.clone()), run);
    let broken = std::mem::take(&mut *heard.lock().expect("nobody panics with it"));
    (result, broken)
}

/// Listens to what the connection says when a rule was broken.
struct Listener(Arc<Mutex<Vec<Broken>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field("misdeed").is_some()
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { stream, misdeed: Some(misdeed) } = fields else { return };
        self.0.lock().expect("nobody panics with it").push(Broken { stream, misdeed });
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields {
    stream: Option<u32>,
    misdeed: Option<Misdeed>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "stream" {
            self.stream = u32::try_from(value).ok();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "misdeed" {
            let text = format!("{value:?}");
            self.misdeed = Misdeed::ALL.iter().copied().find(|misdeed| misdeed.to_string() == text);
        }
    }
}
