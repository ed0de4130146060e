//! A TCP proxy that is a bad network: it splits, delays and throttles what it carries, and a rough one also closes,
//! resets, half-closes and swallows.
//!
//! Always true here: octets are never changed, doubled or moved. All that breaks a call is noted with its time, so
//! that [`Proxy::explains`] can tell an error that we made from one that we found. While a proxy is calm it breaks
//! nothing.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use fastrand::Rng;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{Notify, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::faults::{Doom, Fault, Mood, agony};

/// How much older than a call a fault may be that broke it: a broken connection may be used until its end is seen.
const AFTERMATH: Duration = Duration::from_secs(3);

/// Faults older than any call are forgotten.
const MEMORY: Duration = Duration::from_secs(180);

/// One port in front of one server. Dropping it cuts every connection.
pub struct Proxy {
    address: SocketAddr,
    road: Arc<Road>,
    task: JoinHandle<()>,
}

/// What the connections of a proxy share.
struct Road {
    upstream: SocketAddr,
    rough: bool,
    calm: watch::Sender<bool>,
    marks: Mutex<VecDeque<Instant>>,
    faults: AtomicU64,
}

impl Proxy {
    /// Listens, calm at first.
    pub async fn start(upstream: SocketAddr, rough: bool, mut rng: Rng) -> io::Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let calm = watch::Sender::new(true);
        let road =
            Arc::new(Road { upstream, rough, calm, marks: Mutex::default(), faults: AtomicU64::default() });
        let shared = road.clone();
        let task = tokio::spawn(async move {
            let mut relays = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = relays.join_next() => {}
                    accepted = listener.accept() => match accepted {
                        Ok((client, _)) => { relays.spawn(shared.clone().relay(client, rng.fork())); }
                        // Descriptors ran out; connections that end free some.
                        Err(_) => sleep(Duration::from_millis(10)).await,
                    }
                }
            }
        });
        Ok(Proxy { address, road, task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether to break nothing for now. Connections that are broken already end at once.
    pub fn calm(&self, calm: bool) {
        self.road.calm.send_replace(calm);
    }

    /// Whether an error of a call that ran at this time may come of a fault.
    pub fn explains(&self, begun: Instant, ended: Instant) -> bool {
        let marks = self.road.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.iter().any(|mark| *mark + AFTERMATH >= begun && *mark <= ended)
    }

    /// How many connections were broken.
    pub fn faults(&self) -> u64 {
        self.road.faults.load(Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Road {
    async fn relay(self: Arc<Self>, mut client: TcpStream, mut rng: Rng) {
        let breaks = self.rough && !*self.calm.borrow();
        if breaks && rng.u8(..) < 12 {
            self.begin_fault();
            return reset([&client]);
        }
        // All servers listen as long as there are proxies; if one does not, the caller finds out.
        let Ok(mut server) = TcpStream::connect(self.upstream).await else { return };
        if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
            return;
        }
        let fault = {
            let doom = Doom::draw(&mut rng);
            let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
            let there = self.carry(from_client, to_server, rng.fork(), &doom, &doom.cut[0]);
            let back = self.carry(from_server, to_client, rng.fork(), &doom, &doom.cut[1]);
            let mut both = pin!(async { tokio::try_join!(there, back) });
            tokio::select! {
                ended = &mut both => ended.map(|_| None),
                () = self.falls(&doom) => {
                    let fault = Fault::draw(&mut rng);
                    self.begin_fault();
                    if let Fault::HalfClose = fault {
                        doom.cut[rng.usize(..2)].notify_one();
                        self.lingers(agony(&mut rng), async { drop(both.await) }).await;
                    }
                    Ok(Some(fault))
                }
            }
        };
        match fault {
            Ok(None) => {}
            Ok(Some(fault)) => self.end(fault, client, server, rng).await,
            // As the one side saw it, so the other shall.
            Err(_) => reset([&client, &server]),
        }
    }

    /// Waits until a connection is to be broken: never on a road that is not rough.
    async fn falls(&self, doom: &Doom) {
        if !self.rough {
            std::future::pending::<()>().await;
        }
        let old = async {
            sleep(doom.life).await;
            // Fails only without a proxy, and then we are gone too.
            let _ = self.calm.subscribe().wait_for(|calm| !calm).await;
        };
        tokio::select! {
            () = old => {}
            // It has a hole already.
            () = doom.spent.notified() => {}
        }
    }

    /// Ends a connection of which one side at the least has not heard yet that it is broken.
    async fn end(&self, fault: Fault, mut client: TcpStream, mut server: TcpStream, mut rng: Rng) {
        if let Fault::Swallow = fault {
            let swallow = async |mut from: ReadHalf<'_>| drop(copy(&mut from, &mut sink()).await);
            let both = async {
                tokio::join!(swallow(client.split().0), swallow(server.split().0));
                std::future::pending().await
            };
            self.lingers(agony(&mut rng), both).await;
        }
        if let Fault::Swallow | Fault::Reset = fault {
            reset([&client, &server]);
        }
        drop((client, server));
        self.mark();
    }

    fn begin_fault(&self) {
        self.faults.fetch_add(1, Relaxed);
        self.mark();
    }

    /// Goes on with what is left of a broken connection, not for long.
    async fn lingers(&self, agony: Duration, rest: impl Future<Output = ()>) {
        let mut calm = self.calm.subscribe();
        tokio::select! {
            () = sleep(agony) => {}
            _ = calm.wait_for(|calm| *calm) => {}
            () = rest => {}
        }
    }

    fn mark(&self) {
        let now = Instant::now();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.push_back(now);
        while marks.front().is_some_and(|oldest| now - *oldest > MEMORY) {
            marks.pop_front();
        }
    }

    /// Carries octets one way until they end or are cut, in changing moods.
    async fn carry(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        mut rng: Rng,
        doom: &Doom,
        cut: &Notify,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        let (mut mood, mut left) = (Mood::Free, 1);
        loop {
            let count = tokio::select! {
                count = from.read(&mut buffer) => count?,
                () = cut.notified() => 0,
            };
            if count == 0 {
                return to.shutdown().await;
            }
            left -= 1;
            if left == 0 {
                (mood, left) = (Mood::draw(&mut rng), rng.u32(1..32));
            }
            let mut octets = &buffer[..count];
            if self.rough && !*self.calm.borrow() {
                let allowed = doom.left.fetch_sub(count as i64, Relaxed);
                octets = &octets[..count.min(allowed.max(0) as usize)];
            }
            mood.write(&mut to, octets, &mut rng).await?;
            if octets.len() < count {
                // What is missing would be a hole: nothing more may be carried this way.
                doom.spent.notify_one();
                cut.notified().await;
                return to.shutdown().await;
            }
        }
    }
}

/// Has sockets end with RST instead of FIN.
fn reset<const N: usize>(sockets: [&TcpStream; N]) {
    for socket in sockets {
        // Fails only for a socket that is gone, and then there is nothing to reset.
        let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
    }
}
