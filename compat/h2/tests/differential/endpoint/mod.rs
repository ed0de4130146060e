//! One side of a conversation, over one implementation: the connection, its handles, and the application that does what
//! the script says. Mounted once for each implementation.
//!
//! Always true here: every call and what came of it is written down; nothing is polled that was not woken, unless the
//! runner asks for it.

mod client;
mod failure;
mod pings;
mod server;
mod stream;
mod stream_acts;

use std::collections::BTreeMap;

use self::stream::Stream;
use super::h2;
use crate::{
    body::{Chained, Payload},
    executor::Task,
    pipe::Pipe,
    run::{Ids, Party},
    script::{Act, Script, Side},
    trace::{Event, Part, Scribe, Who},
};

/// The side of this implementation, ready to be run.
pub fn party(side: Side, script: &Script, pipe: Pipe, scribe: Scribe, ids: Ids) -> Box<dyn Party> {
    let common = Common { side, scribe, ids, facade: super::FACADE, task: Task::default() };
    match (side, script.chained) {
        (Side::Client, false) => Box::new(client::Client::<bytes::Bytes>::new(common, &script.client, pipe)),
        (Side::Client, true) => Box::new(client::Client::<Chained>::new(common, &script.client, pipe)),
        (Side::Server, false) => Box::new(server::Server::<bytes::Bytes>::new(common, &script.server, pipe)),
        (Side::Server, true) => Box::new(server::Server::<Chained>::new(common, &script.server, pipe)),
    }
}

/// What both sides have beside the connection.
struct Common {
    side: Side,
    scribe: Scribe,
    ids: Ids,
    facade: bool,
    /// The connection's.
    task: Task,
}

impl Common {
    fn write(&self, event: Event) {
        self.scribe.write(Who { side: self.side, part: Part::Connection }, event);
    }

    fn write_of(&self, stream: u32, event: Event) {
        self.scribe.write(Who { side: self.side, part: Part::Sending(stream) }, event);
    }
}

type Streams<B> = BTreeMap<u32, Stream<B>>;

/// Sets what `options` say; those that only one side has are left to it.
macro_rules! configure {
    ($builder:expr, $options:expr) => {{
        let (builder, options): (_, &Options) = ($builder, $options);
        // What the clock decides is kept out of the comparison; and so is what the facade does not count.
        builder.reset_stream_duration(std::time::Duration::from_secs(3_600)).data_frame_budget(1 << 30);
        options.initial_window.map(|octets| builder.initial_window_size(octets));
        options.connection_window.map(|octets| builder.initial_connection_window_size(octets));
        options.max_frame.map(|octets| builder.max_frame_size(octets));
        options.max_header_list.map(|octets| builder.max_header_list_size(octets));
        options.header_table.map(|octets| builder.header_table_size(octets));
        options.max_concurrent.map(|streams| builder.max_concurrent_streams(streams));
        options.send_buffer.map(|octets| builder.max_send_buffer_size(octets));
        options.remembered_resets.map(|streams| builder.max_concurrent_reset_streams(streams));
        options.resets_before_accept.map(|streams| builder.max_pending_accept_reset_streams(streams));
        options.local_error_resets.map(|streams| builder.max_local_error_reset_streams(Some(streams)));
    }};
}
use configure;

/// What both kinds of connections do alike; gives what is left to do.
macro_rules! connection_act {
    ($common:expr, $connection:expr, $pings:expr, $act:expr) => {
        match $act {
            Do::SetTargetWindow(octets) => $connection.set_target_window_size(*octets),
            Do::SetInitialWindow(octets) => {
                let result = $connection.set_initial_window_size(*octets);
                $common.write(called("set_initial_window_size", result.map(|()| String::new())));
            }
            Do::Ping => {
                if let Some(taken) = $connection.ping_pong() {
                    $pings.start(taken);
                }
                $pings.send(&$common);
            }
            Do::Look => $common.write(Event::Came(
                "connection",
                format!(
                    "send {} recv {}",
                    $connection.max_concurrent_send_streams(),
                    $connection.max_concurrent_recv_streams()
                ),
            )),
            other => $common.write(Event::Wrong(format!("not for this side: {other:?}"))),
        }
    };
}
use connection_act;

/// Runs those of the streams that were woken.
fn run_streams<B: Payload>(streams: &mut Streams<B>) -> bool {
    streams.values_mut().fold(false, |ran, stream| stream.run() | ran)
}

/// Does it if the stream is there.
fn act_on<B: Payload>(common: &Common, streams: &mut Streams<B>, stream: u32, act: &Act) {
    match streams.get_mut(&stream) {
        Some(stream) => stream.act(act),
        None => common.write_of(stream, Event::Skipped("no stream")),
    }
}
