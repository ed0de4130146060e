//! What happens on both sides and on the wire between them, step by step, as data: made from a seed, run over any
//! pairing, and cut down when it finds something.
//!
//! Always true here: a script names streams by the order of their requests, and nothing of an implementation.

mod generate;
mod heads;
mod plans;

pub use heads::{Fields, RequestHead, ResponseHead, SENSITIVE, show_fields};

/// One conversation.
#[derive(Clone, Debug)]
pub struct Script {
    pub client: Options,
    pub server: Options,
    /// From the client, from the server.
    pub lanes: [Lane; 2],
    pub vectored: bool,
    /// The DATA is of a buffer type of several parts, not `Bytes`.
    pub chained: bool,
    /// The tasks of streams are polled before those of connections.
    pub streams_first: bool,
    pub steps: Vec<Step>,
}

impl Script {
    /// The script of this seed.
    pub fn new(seed: u64) -> Self {
        generate::script(seed)
    }
}

/// What both builders take; `None` leaves the default.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub initial_window: Option<u32>,
    pub connection_window: Option<u32>,
    pub max_frame: Option<u32>,
    pub max_header_list: Option<u32>,
    pub header_table: Option<u32>,
    pub max_concurrent: Option<u32>,
    pub initial_max_send: Option<usize>,
    pub send_buffer: Option<usize>,
    pub remembered_resets: Option<usize>,
    pub resets_before_accept: Option<usize>,
    pub local_error_resets: Option<usize>,
    /// The client's word on push, the server's on extended CONNECT.
    pub push: Option<bool>,
    pub extended_connect: bool,
}

/// One direction of the wire.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Octets that are under way at the most; `None` is no limit.
    pub capacity: Option<usize>,
    /// Octets that one read gives at the most.
    pub read: Option<usize>,
    /// Octets that one write takes at the most.
    pub write: Option<usize>,
    /// Nothing arrives until a step lets it.
    pub held: bool,
}

/// One thing that happens. Afterwards everything runs until all is quiet, unless the next step comes at once.
#[derive(Clone, Debug)]
pub struct Step {
    pub what: What,
    pub at_once: bool,
}

#[derive(Clone, Debug)]
pub enum What {
    Stream(Side, u32, Act),
    Connection(Side, Do),
    /// What this side sends.
    Wire(Side, Wire),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Client, Side::Server];

    pub fn index(self) -> usize {
        self as usize
    }
}

/// What an application does with one stream.
#[derive(Clone, Debug)]
pub enum Act {
    /// Over this `SendRequest`; if `waits`, when it is ready.
    Request {
        sender: usize,
        waits: bool,
        head: RequestHead,
    },
    Respond(ResponseHead),
    Inform(ResponseHead),
    /// Waits for the response.
    Await,
    /// Waits for informational responses first.
    AwaitHints,
    /// Takes so many octets of the body, as they come.
    Read {
        octets: u64,
        release: Release,
    },
    /// Releases so much of what was taken and not released.
    Release {
        percent: usize,
    },
    ReleaseTooMuch,
    /// Queues DATA of this size in chunks of that, whatever the capacity.
    Send {
        octets: usize,
        chunk: usize,
        end: bool,
    },
    /// Sends a body as capacity comes.
    Pump {
        octets: usize,
        chunk: usize,
        ask: Ask,
        end: End,
    },
    Trailers(Fields),
    Reserve(usize),
    /// Waits for capacity, once.
    WatchCapacity,
    /// Waits for a reset.
    WatchReset,
    Reset(u32),
    /// Another `FlowControl` of the stream.
    KeepFlow,
    Drop(Handle),
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    AtOnce,
    Half,
    Later,
}

/// How much capacity is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One octet, then a whole chunk is sent: what hyper does.
    One,
    Chunk,
    Whole,
}

#[derive(Clone, Debug)]
pub enum End {
    Flag,
    Trailers(Fields),
    /// The stream stays open.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// `ResponseFuture` or `SendResponse`.
    Head,
    Send,
    Recv,
    Flow,
    All,
}

/// What an application does with a connection.
#[derive(Clone, Debug)]
pub enum Do {
    SetTargetWindow(u32),
    SetInitialWindow(u32),
    EnableConnect,
    Ping,
    /// The server accepts requests, or only waits for the end.
    Accept(bool),
    Graceful,
    Abrupt(u32),
    CloneSender,
    DropSender(usize),
    WatchReady(usize),
    Drop,
    Look,
}

#[derive(Clone, Debug)]
pub enum Wire {
    /// What is sent waits on its way.
    Hold,
    /// It arrives.
    Let,
    /// Nothing passes beyond this place.
    Cut(Place, Fault),
}

/// A place that is the same whatever field compression does.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// So many octets from the start of the connection: within what all send alike.
    Octet(usize),
    /// In this HEADERS frame, counted from the next; so many thousandths of it pass.
    Headers { frame: usize, permille: usize },
    /// After so many octets of DATA payload from now; in the middle of a frame, or before its header.
    Data { octets: usize, inside: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The reader sees the end; what is written is lost.
    End,
    /// The same, but the end is not an orderly one: `UnexpectedEof`.
    Torn,
    /// Reads fail, on both sides; what is written is lost.
    Reads(std::io::ErrorKind),
    /// The next write fails; the reader sees the end.
    Writes(std::io::ErrorKind),
}
