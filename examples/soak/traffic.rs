//! One call: made, and looked at octet by octet. Always true here: every octet that comes back is compared with the one
//! that it should be.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty, StreamBody};
use millpond::CallError;
use millpond_testkit::{
    conversation::Transport,
    echo::{EchoClient, Msg, STATUS_MESSAGE},
};
use tonic::{Code, Status, Streaming};
use tower::ServiceExt;

use crate::plan::{Kind, Plan, rest};

/// Why a call is not as it should be.
#[derive(Debug)]
pub enum Mishap {
    /// What came is not what was sent.
    Wrong(String),
    /// The call failed in gRPC.
    Status(Status),
    /// The call failed in plain HTTP.
    Failed(CallError),
}

impl Mishap {
    /// Whether a channel of ours says that the server did not begin the call.
    pub fn is_unprocessed(&self) -> bool {
        let error = match self {
            Mishap::Wrong(_) => None,
            Mishap::Status(status) => status.source().and_then(|source| source.downcast_ref::<CallError>()),
            Mishap::Failed(error) => Some(error),
        };
        error.is_some_and(CallError::is_unprocessed)
    }
}

impl From<Status> for Mishap {
    fn from(status: Status) -> Self {
        Mishap::Status(status)
    }
}

impl From<CallError> for Mishap {
    fn from(error: CallError) -> Self {
        Mishap::Failed(error)
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mishap::Wrong(words) => f.write_str(words),
            Mishap::Failed(error) => error.fmt(f),
            Mishap::Status(status) => write!(f, "{status:?}"),
        }
    }
}

type Outcome = Result<(), Mishap>;

/// Makes a call by gRPC.
pub async fn remote<T: Transport>(transport: T, plan: &Plan) -> Outcome {
    let mut client = EchoClient::new(transport).max_decoding_message_size(usize::MAX);
    let messages = || plan.outgoing().map(Msg::from);
    match plan.kind {
        Kind::ServerStream => {
            let request = plan.request(Msg::from(plan.message(0)));
            let expected = (0..plan.messages).map(|_| plan.message(0));
            compare(client.server_stream(request).await?.into_inner(), expected, plan.pause).await
        }
        Kind::ClientStream => {
            let answer = client.client_stream(plan.request(messages())).await?;
            same(&plan.all(), &answer.into_inner().data)
        }
        Kind::Bidi => {
            let expected = (0..plan.messages).map(|index| plan.message(index));
            let answers = client.bidi(plan.request(messages())).await?;
            compare(answers.into_inner(), expected, plan.pause).await
        }
        Kind::Status => match client.unary(plan.request(Msg::from(plan.all()))).await {
            Ok(_) => Err(Mishap::Wrong("a reply came where a status was asked for".into())),
            Err(status) if is_as_asked(&status) => Ok(()),
            Err(status) => Err(status.into()),
        },
        _ => {
            let answer = client.unary(plan.request(Msg::from(plan.all()))).await?;
            same(&plan.all(), &answer.into_inner().data)
        }
    }
}

/// Makes a call by plain HTTP.
pub async fn fetch(channel: millpond::Channel, plan: &Plan) -> Outcome {
    let (start, all) = (plan.start, plan.all());
    let body = || {
        StreamBody::new(
            plan.outgoing().map(|piece| Ok::<_, std::convert::Infallible>(http_body::Frame::data(piece))),
        )
    };
    let (method, path, body, expected) = match plan.kind {
        Kind::Get => {
            (Method::GET, format!("/octets/{start}/{}", all.len()), Empty::new().boxed_unsync(), all)
        }
        Kind::Echo => (Method::POST, "/echo".into(), body().boxed_unsync(), all),
        _ => {
            let count = all.len().to_string().into();
            (Method::POST, format!("/sink/{start}"), body().boxed_unsync(), count)
        }
    };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("words and numbers make a path");
    let response = channel.oneshot(request).await?;
    if !response.status().is_success() {
        return Err(Mishap::Wrong(format!("{}", response.status())));
    }
    let (mut body, mut at) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let end = expected.len().min(at + data.len());
        same(&expected[at..end], &data)?;
        at = end;
        rest(plan.pause).await;
    }
    same(&expected[at..], &[])
}

/// Every message must come, in order, and no other.
async fn compare(
    mut answers: Streaming<Msg>,
    expected: impl Iterator<Item = Bytes>,
    pause: Duration,
) -> Outcome {
    for expected in expected {
        match answers.message().await? {
            Some(answer) => same(&expected, &answer.data)?,
            None => return Err(Mishap::Wrong("too few messages came".into())),
        }
        rest(pause).await;
    }
    match answers.message().await? {
        None => Ok(()),
        Some(_) => Err(Mishap::Wrong("too many messages came".into())),
    }
}

fn same(expected: &[u8], came: &[u8]) -> Outcome {
    if expected == came {
        return Ok(());
    }
    let at = expected.iter().zip(came).take_while(|(one, other)| one == other).count();
    let words = format!("{} octets expected, {} came, the first {at} are right", expected.len(), came.len());
    Err(Mishap::Wrong(words))
}

fn is_as_asked(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted && status.message() == STATUS_MESSAGE
}
