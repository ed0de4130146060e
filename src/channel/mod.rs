//! Calling: one connection to one server, made when needed and made again when lost.
//!
//! Always true here: a `Channel` has no queue: a call waits, in `poll_ready`, until the connection stands and
//! the peer takes another stream, and no call hangs on a connection that is gone.

mod builder;
mod call;
mod connect;
mod link;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, Uri, uri};
use http_body::Body as HttpBody;
use tower_service::Service;

use crate::{
    adapter::{Body, BoxError, CallError, Target},
    connection::ConnectionStats,
    error::{Error, Mistake},
    handle::SendRequest,
};

pub use builder::ChannelBuilder;
pub use call::CallFuture;
pub use connect::Connect;

use self::link::Link;

/// Makes calls to one server over one HTTP/2 connection. Clones share the connection; the last one closes it.
///
/// A tower service for `http::Request`s with any body, so tonic-generated clients take it as it is:
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let channel = millpond::Channel::from_shared("http://127.0.0.1:50051")?.connect().await?;
/// # drop(channel);
/// # Ok(())
/// # }
/// ```
///
/// [`poll_ready`](Service::poll_ready) waits for the connection and for a free stream, and is ready, too, when
/// no connection can be made: the call then says why, since callers treat a service that fails in `poll_ready`
/// as broken for ever.
pub struct Channel {
    shared: Arc<Shared>,
    /// Our own handle of the connection, with the slot that `poll_ready` took.
    sender: Option<SendRequest>,
    /// Why the next call will fail.
    error: Option<Box<CallError>>,
}

/// What clones share.
struct Shared {
    link: Arc<Link>,
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// If it is more than our own part. Boxed, as it is large and few have one.
    user_agent: Option<Box<HeaderValue>>,
    timeout: Option<std::time::Duration>,
}

impl Channel {
    /// A builder for a channel to `uri`: `http://host:port`, or `unix://localhost/path/to/socket`.
    pub fn builder(uri: Uri) -> ChannelBuilder {
        let target = Target::of(&uri);
        ChannelBuilder::new(uri, target)
    }

    /// A builder for a channel to what `text` names: `http://host:port`, or `unix:/path/to/socket`.
    ///
    /// # Errors
    ///
    /// [`Mistake::BadUri`] if it is no URI.
    pub fn from_shared(text: &str) -> Result<ChannelBuilder, Error> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::unix(path));
        }
        text.parse().map(Self::builder).map_err(|_| Mistake::BadUri("not a URI").into())
    }

    /// A builder for a channel to a Unix socket.
    #[cfg(unix)]
    pub fn unix(path: impl Into<std::path::PathBuf>) -> ChannelBuilder {
        ChannelBuilder::new(Uri::from_static("http://localhost"), Target::unix(path.into()))
    }

    /// Figures of the connection as its driver last saw them; `None` while there is none.
    pub fn stats(&self) -> Option<ConnectionStats> {
        self.shared.link.current().map(|sender| sender.stats())
    }

    fn new(shared: Arc<Shared>) -> Self {
        Channel { shared, sender: None, error: None }
    }
}

impl Clone for Channel {
    /// The clone waits for the connection and for streams on its own.
    fn clone(&self) -> Self {
        Channel::new(self.shared.clone())
    }
}

impl<B> Service<Request<B>> for Channel
where
    B: HttpBody + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = CallError;
    type Future = CallFuture<B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.error = None;
        loop {
            if let Some(sender) = &mut self.sender {
                match sender.poll_ready(cx) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                    Poll::Ready(Err(_)) => self.sender = None,
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.shared.link.poll_sender(cx) {
                Poll::Ready(Ok(sender)) => self.sender = Some(sender),
                Poll::Ready(Err(error)) => {
                    self.error = Some(Box::new(error));
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn call(&mut self, mut request: Request<B>) -> CallFuture<B> {
        if let Some(error) = self.error.take() {
            return CallFuture::failed(*error);
        }
        // The slot goes with the call; the next one takes another.
        let Some(sender) = self.sender.as_mut().and_then(SendRequest::hand_over) else {
            return CallFuture::failed(Error::from(Mistake::NotReady).into());
        };
        if let Err(error) = self.shared.complete(&mut request) {
            return CallFuture::failed(error);
        }
        CallFuture::new(sender, request, &self.shared)
    }
}

impl Shared {
    /// Adds what every request of this channel has: scheme and authority, and our user agent behind the
    /// caller's.
    fn complete<B>(&self, request: &mut Request<B>) -> Result<(), CallError> {
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        if request.method() == http::Method::CONNECT && uri.path_and_query.is_none() {
            uri.scheme = None;
        } else if uri.path_and_query.is_none() {
            uri.path_and_query = Some(uri::PathAndQuery::from_static("/"));
        }
        *request.uri_mut() = Uri::from_parts(uri).map_err(CallError::body)?;
        let ours = self.user_agent.as_deref().cloned().unwrap_or(builder::USER_AGENT);
        let agent = match request.headers().get(http::header::USER_AGENT) {
            None => ours,
            Some(own) => HeaderValue::from_bytes(&[own.as_bytes(), b" ", ours.as_bytes()].concat())
                .map_err(CallError::body)?,
        };
        request.headers_mut().insert(http::header::USER_AGENT, agent);
        Ok(())
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("origin", &self.shared.authority).finish_non_exhaustive()
    }
}
