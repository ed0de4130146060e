//! Every option of a connection: range, default and reason, in one place (RFC 9113 §6.5.2 for the settings).
//!
//! Always true here: a [`Config`] is in range, since only [`ConfigBuilder::build`] makes one; the environment
//! wins over code for read buffer pooling, and sets a memory budget where code sets none (`env.rs`). Sizes are octets.

#[cfg(feature = "tokio")]
mod shared;

use std::time::Duration;

use crate::{
    buffer::BufferPool,
    env,
    error::{Error, Mistake},
    memory::MemoryBudget,
};

/// The largest flow-control window: 2^31 - 1 octets (RFC 9113 §6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;

macro_rules! options {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr;)*) => {
        /// The options of a connection, checked. Cheap to clone.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $(pub(crate) $name: $type,)*
            pub(crate) pool: BufferPool,
            pub(crate) manners: Manners,
            pub(crate) first_settings: Option<Box<FirstSettings>>,
        }

        /// Gathers options and checks them in [`ConfigBuilder::build`].
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct ConfigBuilder(Config);

        impl Default for ConfigBuilder {
            fn default() -> Self {
                ConfigBuilder(Config {
                    $($name: $default,)*
                    pool: BufferPool::global(),
                    manners: Manners::Own,
                    first_settings: None,
                })
            }
        }

        impl ConfigBuilder {
            $($(#[doc = $doc])* pub fn $name(mut self, value: $type) -> Self {
                self.0.$name = value;
                self
            })*

            /// The pool that blocks come from. Default: the process-wide one, [`BufferPool::global`].
            pub fn pool(mut self, pool: BufferPool) -> Self {
                self.0.pool = pool;
                self
            }
        }

        /// The same options on a builder that has a `config: ConfigBuilder`.
        #[cfg(feature = "tokio")]
        macro_rules! forward_options {
            () => {
                $($(#[doc = $doc])* pub fn $name(mut self, value: $type) -> Self {
                    self.config = self.config.$name(value);
                    self
                })*

                /// The pool that blocks come from. Default: the process-wide one,
                /// [`BufferPool::global`](crate::buffer::BufferPool::global).
                pub fn pool(mut self, pool: $crate::buffer::BufferPool) -> Self {
                    self.config = self.config.pool(pool);
                    self
                }
            };
        }
    };
}

options! {
    /// The flow-control window of each stream that we receive on (SETTINGS_INITIAL_WINDOW_SIZE): 0 to
    /// 2^31 - 1. Default 1 MiB, as hyper's server: enough for 800 Mbit/s at 10 ms. It costs nothing while the
    /// application reads, since windows are not buffers here.
    initial_stream_window_size: u32 = 1 << 20;
    /// The flow-control window of the connection: 65,535 to 2^31 - 1. Default 2 MiB.
    initial_connection_window_size: u32 = 2 << 20;
    /// Whether the windows grow with the measured bandwidth-delay product, up to 16 MiB. Default false.
    adaptive_window: bool = false;
    /// How many octets the application may leave unread on all streams of a connection before the connection's
    /// window shrinks: 0 to 2^31 - 1. Below it one slow stream does not stall the others. Default 2 MiB.
    max_unread: u32 = 2 << 20;
    /// The largest frame we accept (SETTINGS_MAX_FRAME_SIZE): 16,384 to 16,777,215. Default 16,384.
    max_frame_size: u32 = 16_384;
    /// The largest field section we accept, as RFC 9113 §6.5.2 counts it (name, value and 32 for each field):
    /// any size. Default 16 KiB, as hyper.
    max_header_list_size: u32 = 16 << 10;
    /// The most fields in one field section: 1 to 32,768. Default 256.
    max_header_fields: usize = 256;
    /// The dynamic table that the peer's encoder may use (SETTINGS_HEADER_TABLE_SIZE): 0 to 65,536. Default
    /// 4,096; no memory is taken until it is used.
    header_table_size: u32 = 4_096;
    /// The largest dynamic table our encoder uses, however much the peer allows: 0 to 65,536. Default 4,096.
    encoder_table_size: u32 = 4_096;
    /// How many streams the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). `None` does not limit
    /// it. Default 200, as hyper.
    max_concurrent_streams: Option<u32> = Some(200);
    /// How many streams we open before the peer's first SETTINGS have said how many it takes. Default 100.
    initial_max_send_streams: u32 = 100;
    /// How many octets of a body wait in the send queue of one stream before its source is not asked for
    /// more: 1 to 2^31 - 1. Default 256 KiB.
    max_send_buffer_size: usize = 256 << 10;
    /// Whether extended CONNECT (WebSocket and the like, RFC 8441) is offered to clients. Default false.
    enable_connect_protocol: bool = false;
    /// After so much time, more than 0, without an octet from the peer a PING is sent. `None` sends none.
    /// Default `None`.
    keep_alive_interval: Option<Duration> = None;
    /// How long the answer to such a PING may take before the connection is given up: more than 0. Also how
    /// long a graceful shutdown waits for the answer to its PING. Default 20 s.
    keep_alive_timeout: Duration = Duration::from_secs(20);
    /// Whether such PINGs are also sent while no stream is open. Default false.
    keep_alive_while_idle: bool = false;
    /// How long the connection preface and the first SETTINGS of the peer may take: more than 0; `None`
    /// waits for ever. Default 10 s.
    handshake_timeout: Option<Duration> = Some(Duration::from_secs(10));
    /// How long the acknowledgement of our SETTINGS may take (RFC 9113 §6.5.3): more than 0; `None` waits for
    /// ever. Default 30 s.
    settings_timeout: Option<Duration> = Some(Duration::from_secs(30));
    /// How long a field block may stay unfinished after its HEADERS frame began, and so any other frame that is held until
    /// it is whole (all but DATA and unknown ones): more than 0; `None` waits for ever. Default 30 s.
    header_read_timeout: Option<Duration> = Some(Duration::from_secs(30));
    /// How long octets may wait for the socket while the peer takes none of them: more than 0; `None` waits for
    /// ever. Then the connection is given up ([`Misdeed::WriteTimeout`](crate::Misdeed::WriteTimeout)), for a peer
    /// that never reads would hold what is to be sent to it. Default 60 s: longer than any pause of a healthy peer,
    /// and a stall that TCP itself bears for a quarter of an hour.
    write_timeout: Option<Duration> = Some(Duration::from_secs(60));
    /// After how long without traffic and without a stream a busy connection rests: what it needs for work is given
    /// back, and made again when it wakes, which takes some microseconds. One is busy that was woken four times in a row
    /// after less than this; any other rests at once. `None` never rests, nor does a connection without read buffer
    /// pooling. Default 1 s: longer than the pauses of a busy connection, and soon enough for memory.
    rest_after: Option<Duration> = Some(Duration::from_secs(1));
    /// After how long without movement a stream is reset with CANCEL
    /// ([`Misdeed::StreamIdle`](crate::Misdeed::StreamIdle)) and what is unread of it is dropped: at least 4 ms;
    /// it may take a quarter longer. Movement is a frame on the stream in either direction, or octets of it released
    /// by the reader. Bounds in time what a peer holds with a closed window, or a reader by not reading. Default
    /// `None`, which never does: gRPC has streams that are quiet for hours and healthy.
    stream_idle_timeout: Option<Duration> = None;
    /// How many streams that were reset are remembered, so that frames that crossed the reset do no harm: 0 to
    /// 1,024. Default 50, as h2.
    max_concurrent_reset_streams: usize = 50;
    /// How long a reset stream is remembered. Default 30 s.
    reset_stream_duration: Duration = Duration::from_secs(30);
    /// How many streams the peer may open and reset at once, beyond one for each that it lets finish: at least
    /// 1. The allowance refills with time and with finished streams (CVE-2023-44487). Default 1,000.
    max_pending_accept_reset_streams: usize = 1_000;
    /// How many stream errors the peer may provoke at once; refills like the above (CVE-2025-8671). `None`
    /// does not limit it. Default 1,024, as h2.
    max_local_error_reset_streams: Option<usize> = Some(1_024);
    /// How many frames of each cheap kind the peer may send at once, and how many replies may wait for it. Default:
    /// see [`Allowances`](crate::Allowances).
    allowances: crate::config::Allowances = crate::config::Allowances::DEFAULT;
    /// How many octets one connection may hold: at least 65,536; `None` leaves it to the other limits. As it comes
    /// near, new streams are refused (75 %) and windows shrink (85 %); DATA that does not fit costs its stream
    /// ([`Misdeed::MemoryExhausted`](crate::Misdeed::MemoryExhausted)). Default `None`: the other limits bound a
    /// connection already (see `docs/limits.md`), and counting costs a little for each piece.
    max_connection_memory: Option<usize> = None;
    /// A budget that many connections share, of servers and channels alike: see
    /// [`MemoryBudget`](crate::memory::MemoryBudget). Default `None`, or the budget of the process if the variable
    /// `MILLPOND_MEMORY_BUDGET` sets one.
    memory_budget: Option<crate::memory::MemoryBudget> = None;
    /// Whether read buffers come from the pool and go back after each read. `false` keeps one buffer of its
    /// own for each connection instead. The variable `MILLPOND_READ_BUFFER_POOLING` wins over it. Default
    /// true.
    read_buffer_pooling: bool = true;
    /// The largest block that one read takes: 1,024 to 1 MiB. Reads begin small and grow with what comes.
    /// Default 64 KiB.
    max_read_size: usize = 64 << 10;
}

#[cfg(feature = "tokio")]
#[expect(clippy::single_component_path_imports, reason = "gives the macro a path")]
pub(crate) use forward_options;

/// How a connection behaves where RFC 9113 leaves a choice, and where the crate `h2` differs from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manners {
    /// As this crate thinks best.
    #[default]
    Own,
    /// As the crate `h2` does, for programs that were written against it. `connection/manners.rs` lists every
    /// point.
    H2,
}

/// How many frames that are cheap to send a peer may send at once. A tenth of each comes back every second, and useful
/// work earns more; beyond it the connection ends with ENHANCE_YOUR_CALM. At least 1 is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowances {
    /// PING (CVE-2019-9512). Default 100: an honest peer sends one for keepalive, and one for each round trip that
    /// measures bandwidth.
    pub ping: u32,
    /// SETTINGS (CVE-2019-9515). Default 100: an honest peer sends one at the start, and a few when it tunes its
    /// windows.
    pub settings: u32,
    /// PRIORITY and PRIORITY_UPDATE. Default 1,000: browsers of old built trees of a few dozen streams.
    pub priority: u32,
    /// WINDOW_UPDATE. Default 10,000: two for each of our DATA frames are earned; the rest is for windows that open.
    pub window_update: u32,
    /// DATA without payload and without END_STREAM (CVE-2019-9518). Default 1,000.
    pub empty_data: u32,
    /// Frames of unknown type. Default 1,000: GREASE is one now and then.
    pub unknown: u32,
    /// GOAWAY. Default 100: a graceful shutdown takes two.
    pub goaway: u32,
    /// Informational responses. Default 1,000: one or two for a request, which earns one back when it ends.
    pub informational: u32,
    /// Replies that wait for a peer that sends and does not read: never refilled. Default 1,024, which are 24 KiB.
    pub replies: usize,
}

impl Allowances {
    const DEFAULT: Self = Allowances {
        ping: 100,
        settings: 100,
        priority: 1_000,
        window_update: 10_000,
        empty_data: 1_000,
        unknown: 1_000,
        goaway: 100,
        informational: 1_000,
        replies: 1_024,
    };
}

impl Default for Allowances {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The values of our first SETTINGS (RFC 9113 §6.5.2), those that are given and no others. What is not said keeps
/// its initial value for the peer; the limits of the [`Config`] hold all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstSettings {
    /// SETTINGS_HEADER_TABLE_SIZE, octets.
    pub header_table_size: Option<u32>,
    /// SETTINGS_ENABLE_PUSH. Push is refused whatever is said.
    pub enable_push: Option<bool>,
    /// SETTINGS_MAX_CONCURRENT_STREAMS.
    pub max_concurrent_streams: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE, octets.
    pub initial_window_size: Option<u32>,
    /// SETTINGS_MAX_FRAME_SIZE, octets.
    pub max_frame_size: Option<u32>,
    /// SETTINGS_MAX_HEADER_LIST_SIZE, octets.
    pub max_header_list_size: Option<u32>,
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).
    pub enable_connect_protocol: Option<bool>,
}

impl Config {
    /// A builder that holds the defaults.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// Whether a connection ever goes to rest. Without pooling it keeps its buffer, so it does not.
    pub(crate) fn rests(&self) -> bool {
        self.rest_after.is_some() && self.read_buffer_pooling
    }
}

impl Default for Config {
    fn default() -> Self {
        ConfigBuilder::default().apply_environment()
    }
}

impl ConfigBuilder {
    /// How the connection behaves where RFC 9113 leaves a choice. Default: [`Manners::Own`].
    pub fn manners(mut self, manners: Manners) -> Self {
        self.0.manners = manners;
        self
    }

    /// What the first SETTINGS say. Default: every value of the options that differs from its initial value.
    pub fn first_settings(mut self, settings: FirstSettings) -> Self {
        self.0.first_settings = Some(Box::new(settings));
        self
    }

    /// Checks every option.
    ///
    /// # Errors
    ///
    /// A [`Mistake::BadOption`] that names the first option out of its range.
    pub fn build(self) -> Result<Config, Error> {
        let c = &self.0;
        let checks = [
            (c.initial_stream_window_size <= MAX_WINDOW, "initial_stream_window_size: at most 2^31 - 1"),
            (
                (65_535..=MAX_WINDOW).contains(&c.initial_connection_window_size),
                "initial_connection_window_size: 65,535 to 2^31 - 1",
            ),
            (c.max_unread <= MAX_WINDOW, "max_unread: at most 2^31 - 1"),
            ((16_384..=16_777_215).contains(&c.max_frame_size), "max_frame_size: 16,384 to 16,777,215"),
            ((1..=32_768).contains(&c.max_header_fields), "max_header_fields: 1 to 32,768"),
            (c.header_table_size <= 65_536, "header_table_size: at most 65,536"),
            (c.encoder_table_size <= 65_536, "encoder_table_size: at most 65,536"),
            (
                (1..=MAX_WINDOW as usize).contains(&c.max_send_buffer_size),
                "max_send_buffer_size: 1 to 2^31 - 1",
            ),
            (c.max_concurrent_reset_streams <= 1_024, "max_concurrent_reset_streams: at most 1,024"),
            (c.max_pending_accept_reset_streams >= 1, "max_pending_accept_reset_streams: at least 1"),
            ((1_024..=1 << 20).contains(&c.max_read_size), "max_read_size: 1,024 to 1 MiB"),
            (c.keep_alive_interval != Some(Duration::ZERO), "keep_alive_interval: more than 0"),
            (c.keep_alive_timeout != Duration::ZERO, "keep_alive_timeout: more than 0"),
            (c.handshake_timeout != Some(Duration::ZERO), "handshake_timeout: more than 0"),
            (c.settings_timeout != Some(Duration::ZERO), "settings_timeout: more than 0"),
            (c.header_read_timeout != Some(Duration::ZERO), "header_read_timeout: more than 0"),
            (c.write_timeout != Some(Duration::ZERO), "write_timeout: more than 0"),
            (
                c.stream_idle_timeout.is_none_or(|timeout| timeout >= Duration::from_millis(4)),
                "stream_idle_timeout: at least 4 ms",
            ),
            (
                c.max_connection_memory.is_none_or(|octets| octets >= 65_536),
                "max_connection_memory: at least 65,536",
            ),
        ];
        match checks.into_iter().find(|(fits, _)| !fits) {
            Some((_, complaint)) => Err(Mistake::BadOption(complaint).into()),
            None => Ok(self.apply_environment()),
        }
    }

    fn apply_environment(mut self) -> Config {
        if let Some(pooling) = env::read_buffer_pooling() {
            self.0.read_buffer_pooling = pooling;
        }
        // The manners of h2 know no budget.
        if self.0.memory_budget.is_none() && self.0.manners == Manners::Own {
            self.0.memory_budget = env::memory_budget().map(MemoryBudget::of_process);
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let refused: [(ConfigBuilder, &str); 15] = [
            (Config::builder().initial_stream_window_size(1 << 31), "initial_stream_window_size"),
            (Config::builder().initial_connection_window_size(65_534), "initial_connection_window_size"),
            (Config::builder().max_frame_size(16_383), "max_frame_size"),
            (Config::builder().max_frame_size(1 << 24), "max_frame_size"),
            (Config::builder().max_header_fields(0), "max_header_fields"),
            (Config::builder().header_table_size(65_537), "header_table_size"),
            (Config::builder().max_send_buffer_size(0), "max_send_buffer_size"),
            (Config::builder().max_read_size(1_023), "max_read_size"),
            (Config::builder().keep_alive_interval(Some(Duration::ZERO)), "keep_alive_interval"),
            (Config::builder().handshake_timeout(Some(Duration::ZERO)), "handshake_timeout"),
            (Config::builder().settings_timeout(Some(Duration::ZERO)), "settings_timeout"),
            (Config::builder().header_read_timeout(Some(Duration::ZERO)), "header_read_timeout"),
            (Config::builder().write_timeout(Some(Duration::ZERO)), "write_timeout"),
            (Config::builder().stream_idle_timeout(Some(Duration::from_millis(3))), "stream_idle_timeout"),
            (Config::builder().max_connection_memory(Some(65_535)), "max_connection_memory"),
        ];
        for (builder, name) in refused {
            let error = builder.build().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn the_edges_are_accepted() {
        Config::builder()
            .initial_stream_window_size(0)
            .initial_connection_window_size(MAX_WINDOW)
            .max_frame_size(16_777_215)
            .max_read_size(1 << 20)
            .build()
            .unwrap();
    }
}
