//! Who talks to whom: servers of ours, of stock tonic and of grpcio, clients of the same, and the paths between them.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use millpond::{Server, buffer::BufferPool};
use millpond_testkit::{
    echo,
    process::{self, Peer},
    stock,
};
use tokio::runtime::Handle;

use crate::{
    BoxError,
    foreign::Foreign,
    ledger::Ledger,
    path::{Caller, Path, Road},
    proxy::Proxy,
    servers::{Serving, pool},
};

/// All of them.
pub struct Peers {
    /// The paths of clients in this process.
    pub paths: Vec<Arc<Path>>,
    /// The paths of grpcio's client, if it is installed.
    pub foreign: Option<Foreign>,
    /// Pools of our clients and of our servers.
    pub pools: [(&'static str, BufferPool); 2],
    ours: [Serving; 2],
    tonic: stock::Running,
    grpcio: Option<Peer>,
}

impl Peers {
    /// Starts everything; without what is of grpcio if `grpcio` is false.
    pub async fn start(grpcio: bool, callers: u16, rng: &mut Rng) -> Result<Peers, BoxError> {
        let pools = [("clients", pool()), ("servers", pool())];
        let [(_, of_clients), (_, of_servers)] = &pools;
        let aging = Server::builder().max_connection_age(Duration::from_secs(1)).poll_handlers_inline(true);
        let aging = Serving::start(aging, of_servers.clone()).await?;
        let ours = Serving::start(Server::builder(), of_servers.clone()).await?;
        let tonic = stock::tonic_server(&Handle::current(), echo::routes())?;
        let mut pairs = vec![
            (Caller::Ours, "millpond", ours.address),
            (Caller::OursByHttp, "millpond", ours.address),
            (Caller::Ours, "tonic", tonic.addr()),
            (Caller::Tonic, "millpond", ours.address),
        ];
        let mut server = None;
        if grpcio {
            let mut command = process::grpcio()?;
            command.arg("server");
            let peer = tokio::task::spawn_blocking(move || Peer::start(&mut command)).await??;
            pairs.push((Caller::Ours, "grpcio", peer.addr()));
            pairs.push((Caller::Grpcio, "millpond", ours.address));
            server = Some(peer);
        }
        let (mut paths, mut foreign) = (Vec::new(), Vec::new());
        for (caller, server, address) in pairs {
            for road in Road::ALL {
                let upstream = match road {
                    // Only our servers age; stock tonic's client fails calls that meet a GOAWAY.
                    Road::Aging if server != "millpond" || caller == Caller::Tonic => continue,
                    Road::Aging => aging.address,
                    _ => address,
                };
                let path = Path::new(caller, server, road, upstream, of_clients.clone(), rng).await?;
                match caller {
                    Caller::Grpcio => foreign.push(path),
                    _ => paths.push(Arc::new(path)),
                }
            }
        }
        let foreign = (!foreign.is_empty()).then(|| Foreign::start(foreign, callers)).transpose()?;
        Ok(Peers { paths, foreign, pools, ours: [ours, aging], tonic, grpcio: server })
    }

    fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        let foreign = self.foreign.iter().flat_map(Foreign::paths);
        self.paths.iter().map(|path| &**path).chain(foreign).filter_map(|path| path.proxy())
    }

    /// Whether the proxies are to break nothing for now.
    pub fn calm(&self, calm: bool) {
        self.proxies().for_each(|proxy| proxy.calm(calm));
    }

    /// Connections that the proxies broke.
    pub fn faults(&self) -> u64 {
        self.proxies().map(Proxy::faults).sum()
    }

    /// Waits until each path carries a call; says which do not.
    pub async fn settle(&mut self, ledger: &Ledger) {
        for path in &self.paths {
            if let Err(why) = path.settle().await {
                ledger.complain(format!("{}: carries no call while nothing is broken: {why}", path.name()));
            }
        }
        if let Some(foreign) = &mut self.foreign
            && let Err(why) = foreign.settle().await
        {
            ledger.complain(format!("grpcio's client: {why}"));
        }
    }

    /// Stops everything: clients, proxies, servers. Blocks, descriptors and memory should then be home.
    pub async fn stop(self) -> Result<(), BoxError> {
        drop((self.paths, self.foreign, self.grpcio, self.tonic));
        for server in self.ours {
            server.stop().await?;
        }
        Ok(())
    }
}
