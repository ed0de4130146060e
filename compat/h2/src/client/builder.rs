//! The options of a client, and the handshake (RFC 9113 §3.4).

use std::future::{Future, poll_fn};

use bytes::{Buf, Bytes};
use millpond::connection::Side;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, SendRequest};
use crate::{
    Error,
    config::{Options, common_setters},
    drive::Driver,
    shared::Shared,
};

/// The options of a client's connection.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// The defaults of h2.
    pub fn new() -> Builder {
        Builder::default()
    }

    common_setters!();

    /// How many streams are opened before the peer has said how many it takes. Default: no limit.
    pub fn initial_max_send_streams(&mut self, streams: usize) -> &mut Self {
        self.options.initial_max_send_streams = streams;
        self
    }

    /// The identifier of the first stream. Default 1.
    ///
    /// # Panics
    ///
    /// If it is not odd (RFC 9113 §5.1.1), as in h2.
    #[cfg(feature = "unstable")]
    pub fn initial_stream_id(&mut self, id: u32) -> &mut Self {
        assert!(id % 2 == 1, "stream id must be odd");
        self.options.first_stream = id;
        self
    }

    /// SETTINGS_ENABLE_PUSH, as it is said to the peer. A PUSH_PROMISE is a connection error whatever was said.
    pub fn enable_push(&mut self, enabled: bool) -> &mut Self {
        self.options.settings.enable_push = Some(enabled);
        self
    }

    /// Begins a connection with prior knowledge: writes the preface, and waits for nothing from the server.
    ///
    /// # Errors
    ///
    /// If the socket fails.
    pub fn handshake<T, B>(
        &self,
        io: T,
    ) -> impl Future<Output = Result<(SendRequest<B>, Connection<T, B>), Error>> + use<T, B>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        B: Buf,
    {
        let options = self.options.clone();
        async move {
            let config = options.build();
            let shared = Shared::new(Side::Client, config.clone(), &options);
            let mut driver = Driver::new(io, config, shared.clone());
            let preface = poll_fn(|cx| {
                driver.poll_say(cx, |shared, writer| {
                    shared.look(|inner| inner.connection.poll_preface(writer.outbound()));
                })
            });
            preface.await?;
            Ok((SendRequest::new(shared), Connection::new(driver, options.connection_window)))
        }
    }
}

/// Begins a connection with the defaults.
///
/// # Errors
///
/// If the socket fails.
pub async fn handshake<T>(io: T) -> Result<(SendRequest<Bytes>, Connection<T, Bytes>), Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    Builder::new().handshake(io).await
}
