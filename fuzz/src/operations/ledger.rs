//! What was said on every stream, by whom, and how much of it the other side has heard.

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use millpond::{Error, ErrorCode, connection::Side};

#[derive(Default)]
pub struct Ledger(BTreeMap<u32, Talk>);

/// One stream.
pub struct Talk {
    pub method: &'static str,
    /// Opened before the server had said how many streams it takes: it may be refused.
    early: bool,
    /// An application has reset it or let go of it, or the server did not take it.
    cut_short: bool,
    said: [Said; 2],
    heard: [Said; 2],
}

/// One direction of it.
#[derive(Default)]
struct Said {
    octets: usize,
    trailers: Option<u16>,
    end: bool,
}

impl Ledger {
    pub fn open(&mut self, id: u32, method: &'static str, early: bool) {
        let talk =
            Talk { method, early, cut_short: false, said: Default::default(), heard: Default::default() };
        assert!(self.0.insert(id, talk).is_none(), "stream {id} twice");
    }

    pub fn talk(&mut self, id: u32) -> &mut Talk {
        self.0.get_mut(&id).expect("a stream that was opened")
    }

    /// Whether `queued` octets are all that the other side has not heard.
    pub fn check_arrived(&self, from: Side, id: u32, queued: usize) {
        let talk = &self.0[&id];
        let [said, heard] = [&talk.said, &talk.heard].map(|both| both[from as usize].octets);
        assert!(
            talk.cut_short || said == heard + queued,
            "{id}: {heard} of {said} arrived, {queued} are queued"
        );
    }

    /// What nobody cut short was heard to the end.
    pub fn check_whole(&self) {
        for (id, talk) in self.0.iter().filter(|(_, talk)| !talk.cut_short) {
            for (said, heard) in talk.said.iter().zip(&talk.heard) {
                assert!(said.end && heard.end, "stream {id} has no end");
                assert_eq!(said.octets, heard.octets, "octets on stream {id}");
                assert_eq!(said.trailers, heard.trailers, "trailers on stream {id}");
            }
        }
    }
}

impl Talk {
    /// The next octets of this side's body.
    pub fn say(&mut self, from: Side, id: u32, octets: usize) -> Bytes {
        let said = &mut self.said[from as usize];
        assert!(!said.end);
        let at = said.octets;
        said.octets += octets;
        content(from, id, at, octets)
    }

    pub fn say_end(&mut self, from: Side, trailers: Option<u16>) {
        let said = &mut self.said[from as usize];
        assert!(!std::mem::replace(&mut said.end, true));
        said.trailers = trailers;
    }

    pub fn hear(&mut self, from: Side, octets: usize, end: bool) {
        let (said, heard) = (&self.said[from as usize], &mut self.heard[from as usize]);
        heard.octets += octets;
        assert!(!heard.end && heard.octets <= said.octets, "more was heard than was said");
        if end {
            heard.end = true;
            assert!(said.end && said.trailers.is_none(), "an end that nobody said");
            assert_eq!(said.octets, heard.octets, "an end too soon");
        }
    }

    pub fn hear_trailers(&mut self, from: Side, trailers: u16) {
        let (said, heard) = (&self.said[from as usize], &mut self.heard[from as usize]);
        assert!(!std::mem::replace(&mut heard.end, true) && said.end);
        assert_eq!((said.octets, said.trailers), (heard.octets, Some(trailers)));
        heard.trailers = Some(trailers);
    }

    pub fn cut_short(&mut self) {
        self.cut_short = true;
    }

    /// A stream fails for a reason.
    pub fn hear_failure(&mut self, error: &Error, over: bool) {
        let refused = self.early && error.code() == ErrorCode::REFUSED_STREAM;
        assert!(self.cut_short || over || refused || error.is_unprocessed(), "{error} for nothing");
        self.cut_short = true;
    }
}

/// The octets at this place of a body: known beforehand, so that whoever reads knows what has to come.
pub fn content(from: Side, id: u32, at: usize, octets: usize) -> Bytes {
    const PERIOD: usize = 251;
    static BODY: LazyLock<Bytes> = LazyLock::new(|| (0..1 << 17).map(|at| (at % PERIOD) as u8).collect());
    let start = (at + 31 * id as usize + 7 * from as usize) % PERIOD;
    BODY.slice(start..start + octets)
}
