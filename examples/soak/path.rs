//! One path: a client, a server, and what lies between them. Always true here: every call that is made on it is judged,
//! by what it asked for and by what was broken on this path at that time.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fastrand::Rng;
use millpond::buffer::BufferPool;
use tokio::time::{sleep, timeout};
use tonic::transport::Endpoint;

use crate::{
    BoxError,
    ledger::{Ledger, Outcome},
    plan::{BOUND, Kind, Plan},
    proxy::Proxy,
    traffic::{self, Mishap},
};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Ours,
    /// Ours, by plain HTTP.
    OursByHttp,
    Tonic,
    /// In a process of its own: it makes its calls itself.
    Grpcio,
}

/// What lies between a client and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// Nothing.
    Straight,
    /// Nothing, and the server ends each connection when it is a second old.
    Aging,
    /// A proxy that breaks nothing.
    Gentle,
    /// A proxy that breaks connections.
    Rough,
}

/// From one client to one server. Its callers share a connection.
pub struct Path {
    name: String,
    caller: Caller,
    road: Road,
    address: SocketAddr,
    proxy: Option<Proxy>,
    pool: BufferPool,
    client: Mutex<Option<Client>>,
}

#[derive(Clone)]
enum Client {
    Ours(millpond::Channel),
    Tonic(tonic::transport::Channel),
}

impl Road {
    pub const ALL: [Road; 4] = [Road::Straight, Road::Aging, Road::Gentle, Road::Rough];

    fn name(self) -> &'static str {
        match self {
            Road::Straight => "straight",
            Road::Aging => "aging",
            Road::Gentle => "gentle proxy",
            Road::Rough => "rough proxy",
        }
    }
}

impl Path {
    /// A path to a server at `upstream`; channels of ours use `pool`.
    pub async fn new(
        caller: Caller,
        server: &str,
        road: Road,
        upstream: SocketAddr,
        pool: BufferPool,
        rng: &mut Rng,
    ) -> Result<Path, BoxError> {
        let proxy = match road {
            Road::Straight | Road::Aging => None,
            Road::Gentle | Road::Rough => {
                Some(Proxy::start(upstream, road == Road::Rough, rng.fork()).await?)
            }
        };
        let client = match caller {
            Caller::Ours => "millpond",
            Caller::OursByHttp => "millpond (http)",
            Caller::Tonic => "tonic",
            Caller::Grpcio => "grpcio",
        };
        let name = format!("{client} to {server}, {}", road.name());
        let address = proxy.as_ref().map_or(upstream, Proxy::address);
        let path = Path { name, caller, road, address, proxy, pool, client: Mutex::new(None) };
        path.renew()?;
        Ok(path)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its client connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Whether an error of a call that ran at this time may come of a fault.
    pub fn explains(&self, begun: Instant, ended: Instant) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.explains(begun, ended))
    }

    /// Gives the path a new connection; the old one ends with its last call.
    fn renew(&self) -> Result<(), BoxError> {
        let url = format!("http://{}", self.address);
        let client = match self.caller {
            Caller::Grpcio => return Ok(()),
            Caller::Tonic => Client::Tonic(Endpoint::from_shared(url)?.connect_lazy()),
            Caller::Ours | Caller::OursByHttp => {
                let builder = millpond::Channel::from_shared(&url)?.pool(self.pool.clone());
                let (first, longest) = (Duration::from_millis(20), Duration::from_millis(200));
                Client::Ours(builder.reconnect_backoff(first, longest).connect_lazy()?)
            }
        };
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        Ok(())
    }

    async fn call(&self, plan: &Plan) -> Result<(), Mishap> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match client {
            Some(Client::Ours(channel)) if self.caller == Caller::OursByHttp => {
                traffic::fetch(channel, plan).await
            }
            Some(Client::Ours(channel)) => traffic::remote(channel, plan).await,
            Some(Client::Tonic(channel)) => traffic::remote(channel, plan).await,
            None => Err(Mishap::Wrong("nobody calls here".into())),
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        if self.caller == Caller::OursByHttp { &Kind::HTTP } else { &Kind::GRPC }
    }

    /// Makes calls, one after the other, until it is time to stop; each is judged.
    pub async fn call_until(&self, end: Instant, mut rng: Rng, ledger: &Ledger) -> Result<(), BoxError> {
        while Instant::now() < end {
            let mut plan = Plan::draw(&mut rng, self.kinds());
            if self.caller == Caller::Tonic && plan.kind == Kind::Bidi {
                // Stock tonic drops the response and goes on with the request: a server that sends back what it gets
                // waits for the one while it waits for the other, for ever, also where both are stock tonic.
                plan.cancel = None;
            }
            let begun = Instant::now();
            let result = timeout(plan.cancel.unwrap_or(BOUND), self.call(&plan)).await;
            let (outcome, words) = self.judge(&plan, begun, result.ok());
            ledger.note(&self.name, plan.kind, outcome, 1, &words);
            if rng.u8(..) == 0 {
                self.renew()?;
            }
            sleep(Duration::from_millis(rng.u64(..50))).await;
        }
        Ok(())
    }

    /// How a call ended, and why.
    fn judge(&self, plan: &Plan, begun: Instant, result: Option<Result<(), Mishap>>) -> (Outcome, String) {
        let mishap = match result {
            None if plan.cancel.is_some() => return (Outcome::Cancelled, String::new()),
            None => return (Outcome::Lost, format!("{plan:?}")),
            Some(Ok(())) if plan.kind == Kind::Status => return (Outcome::Refused, String::new()),
            Some(Ok(())) => return (Outcome::Replied, String::new()),
            Some(Err(mishap)) => mishap,
        };
        let took = begun.elapsed();
        let outcome = match &mishap {
            Mishap::Wrong(_) => Outcome::Wrong,
            Mishap::Status(status) if plan.is_deadline(status, took) => Outcome::Deadline,
            _ if self.road == Road::Aging && mishap.is_unprocessed() => Outcome::TurnedAway,
            _ if self.explains(begun, Instant::now()) => Outcome::Faulted,
            _ => Outcome::Unexplained,
        };
        (outcome, format!("{mishap} after {took:.1?}: {plan:?}"))
    }

    /// Waits until the path carries a call.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn settle(&self) -> Result<(), Mishap> {
        let (begun, plan) = (Instant::now(), Plan::probe(self.kinds()[0]));
        loop {
            match timeout(BOUND, self.call(&plan)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) if begun.elapsed() >= BOUND => return Err(why),
                Ok(Err(_)) => sleep(Duration::from_millis(20)).await,
                Err(_) => return Err(Mishap::Wrong(format!("a call is not over after {BOUND:?}"))),
            }
        }
    }
}
