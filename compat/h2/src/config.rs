//! What both builders gather, and the [`Config`] and first SETTINGS that come of it.
//!
//! Always true here: the options have h2's names and defaults; values outside of what a connection can have are
//! brought into range, so a connection can always be made.

use std::{sync::Arc, time::Duration};

use millpond::{Allowances, Config, FirstSettings, Manners};

/// The largest window: 2^31 - 1 octets (RFC 9113 §6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// The options of one side.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) settings: FirstSettings,
    pub(crate) connection_window: Option<u32>,
    pub(crate) max_send_buffer_size: usize,
    pub(crate) initial_max_send_streams: usize,
    pub(crate) max_concurrent_reset_streams: usize,
    pub(crate) reset_stream_duration: Duration,
    pub(crate) max_pending_accept_reset_streams: usize,
    pub(crate) max_local_error_reset_streams: Option<usize>,
    pub(crate) data_frame_budget: Option<usize>,
    /// The identifier of a client's first stream.
    pub(crate) first_stream: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            settings: FirstSettings::default(),
            connection_window: None,
            max_send_buffer_size: 400 << 10,
            initial_max_send_streams: usize::MAX,
            max_concurrent_reset_streams: 50,
            reset_stream_duration: Duration::from_secs(1),
            max_pending_accept_reset_streams: 20,
            max_local_error_reset_streams: Some(1_024),
            data_frame_budget: None,
            first_stream: 1,
        }
    }
}

impl Options {
    /// # Panics
    ///
    /// If it is outside of 16,384 to 16,777,215, as h2.
    pub(crate) fn set_max_frame_size(&mut self, octets: u32) {
        assert!((16_384..=16_777_215).contains(&octets), "max_frame_size: 16,384 to 16,777,215");
        self.settings.max_frame_size = Some(octets);
    }

    /// # Panics
    ///
    /// If it is above 2^32 - 1, as h2.
    pub(crate) fn set_max_send_buffer_size(&mut self, octets: usize) {
        assert!(u32::try_from(octets).is_ok(), "max_send_buffer_size: at most 2^32 - 1");
        self.max_send_buffer_size = octets;
    }

    /// The options of a connection, and its first SETTINGS.
    pub(crate) fn build(&self) -> Arc<Config> {
        let mut settings = self.settings.clone();
        // More than this our decoder does not keep.
        settings.header_table_size = settings.header_table_size.map(|octets| octets.min(65_536));
        settings.initial_window_size = settings.initial_window_size.map(|octets| octets.min(MAX_WINDOW));
        let mut allowances = Allowances::default();
        allowances.empty_data = 100;
        let config = Config::builder()
            .manners(Manners::H2)
            .allowances(allowances)
            .initial_stream_window_size(settings.initial_window_size.unwrap_or(65_535))
            // What is wished is set after the handshake.
            .initial_connection_window_size(65_535)
            // Credit returns when the application releases it.
            .max_unread(0)
            .max_frame_size(settings.max_frame_size.unwrap_or(16_384))
            .max_header_list_size(settings.max_header_list_size.unwrap_or(16 << 20))
            .max_header_fields(32_768)
            .header_table_size(settings.header_table_size.unwrap_or(4_096))
            .max_concurrent_streams(settings.max_concurrent_streams)
            .initial_max_send_streams(u32::try_from(self.initial_max_send_streams).unwrap_or(u32::MAX))
            .max_send_buffer_size(self.max_send_buffer_size.clamp(1, MAX_WINDOW as usize))
            .enable_connect_protocol(settings.enable_connect_protocol.unwrap_or(false))
            // No clock is assumed to run: this crate works on any executor.
            .handshake_timeout(None)
            .settings_timeout(None)
            .header_read_timeout(None)
            .write_timeout(None)
            .stream_idle_timeout(None)
            // Nobody looks whether it may rest, so it gives back at once what it does not need.
            .rest_after(None)
            .max_concurrent_reset_streams(self.max_concurrent_reset_streams.min(1_024))
            .reset_stream_duration(self.reset_stream_duration)
            // The one of h2 is for requests that were not accepted yet; `shared.rs` counts those.
            .max_pending_accept_reset_streams(self.max_pending_accept_reset_streams.max(1_000))
            .max_local_error_reset_streams(self.max_local_error_reset_streams)
            .first_settings(settings)
            .build();
        Arc::new(config.expect("every value was brought into its range"))
    }
}

/// The setters that both builders have.
macro_rules! common_setters {
    () => {
        /// SETTINGS_INITIAL_WINDOW_SIZE: how many octets of DATA the peer may send on a stream before some are
        /// released. Default 65,535.
        pub fn initial_window_size(&mut self, octets: u32) -> &mut Self {
            self.options.settings.initial_window_size = Some(octets);
            self
        }

        /// How many octets of DATA the peer may send on the connection before some are released. Default 65,535.
        pub fn initial_connection_window_size(&mut self, octets: u32) -> &mut Self {
            self.options.connection_window = Some(octets);
            self
        }

        /// SETTINGS_MAX_FRAME_SIZE: the largest payload of a frame that is accepted, 16,384 to 16,777,215 octets.
        ///
        /// # Panics
        ///
        /// If it is outside of this range, as in h2.
        pub fn max_frame_size(&mut self, octets: u32) -> &mut Self {
            self.options.set_max_frame_size(octets);
            self
        }

        /// SETTINGS_MAX_HEADER_LIST_SIZE: the largest field section that is accepted, octets as RFC 9113 §6.5.2
        /// counts them. Default 16 MiB, not said to the peer.
        pub fn max_header_list_size(&mut self, octets: u32) -> &mut Self {
            self.options.settings.max_header_list_size = Some(octets);
            self
        }

        /// SETTINGS_HEADER_TABLE_SIZE: the dynamic table that the peer's encoder may use, at most 65,536 octets.
        pub fn header_table_size(&mut self, octets: u32) -> &mut Self {
            self.options.settings.header_table_size = Some(octets);
            self
        }

        /// SETTINGS_MAX_CONCURRENT_STREAMS: how many streams the peer may have open at once.
        pub fn max_concurrent_streams(&mut self, streams: u32) -> &mut Self {
            self.options.settings.max_concurrent_streams = Some(streams);
            self
        }

        /// How many streams that we reset are remembered, so that frames that crossed the reset do no harm: at most
        /// 1,024. Default 50.
        pub fn max_concurrent_reset_streams(&mut self, streams: usize) -> &mut Self {
            self.options.max_concurrent_reset_streams = streams;
            self
        }

        /// How long they are remembered. Default 1 s.
        pub fn reset_stream_duration(&mut self, duration: std::time::Duration) -> &mut Self {
            self.options.reset_stream_duration = duration;
            self
        }

        /// How many stream errors the peer may provoke at once. Default 1,024; `None` does not limit it.
        pub fn max_local_error_reset_streams(&mut self, streams: Option<usize>) -> &mut Self {
            self.options.max_local_error_reset_streams = streams;
            self
        }

        /// How many requests may be reset by the peer while they wait to be accepted. Default 20.
        pub fn max_pending_accept_reset_streams(&mut self, streams: usize) -> &mut Self {
            self.options.max_pending_accept_reset_streams = streams;
            self
        }

        /// How much capacity one stream is given beyond what was written, in octets. Default 400 KiB.
        ///
        /// # Panics
        ///
        /// If it is above 2^32 - 1, as in h2.
        pub fn max_send_buffer_size(&mut self, octets: usize) -> &mut Self {
            self.options.set_max_send_buffer_size(octets);
            self
        }

        /// The budget for small DATA frames that wait to be read: each costs what it lacks to 256 octets. Default:
        /// half of the connection's window, and 25,600 at least.
        pub fn data_frame_budget(&mut self, budget: usize) -> &mut Self {
            self.options.data_frame_budget = Some(budget);
            self
        }
    };
}

pub(crate) use common_setters;
