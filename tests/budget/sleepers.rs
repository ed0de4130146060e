//! Ten thousand streams whose readers are asleep, and peers that send as much as they may.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use http::Response;
use millpond::{
    Config, Error, ErrorCode, MemoryBudget, Misdeed,
    buffer::{BufferPool, PoolOptions},
    server,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    HEAP, alone,
    peer::{Outcome, PAYLOAD, Peer, reset},
    world::{run, within},
};

const LIMIT: usize = 32 << 20;
const CONNECTIONS: usize = 100;
const STREAMS: u32 = 100;
const FRAMES: usize = 3;

/// What the heap has beyond the budget: the sockets and tasks of both ends, the handlers' tasks, the idle blocks of the
/// pool, and the test itself.
const OVERHEAD: usize = 16 << 20;

type Incoming = (http::Request<millpond::handle::RecvStream>, server::SendResponse);

/// Sleeps, and then reads what there is and answers.
async fn sleeper((request, mut respond): Incoming, mut awake: watch::Receiver<bool>) -> Result<usize, Error> {
    let mut body = request.into_body();
    awake.wait_for(|awake| *awake).await.unwrap();
    let mut octets = 0;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        octets += piece.len();
        body.flow_control().release_capacity(piece.len())?;
    }
    respond.send_response(Response::new(()), true)?;
    Ok(octets)
}

#[test]
fn ten_thousand_sleeping_readers_stay_within_the_budget() {
    let _alone = alone();
    run(async {
        let budget = MemoryBudget::new(LIMIT);
        let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
        let config =
            Config::builder().memory_budget(Some(budget.clone())).pool(pool.clone()).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (wake, awake) = watch::channel(false);
        let (whole, lost) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (go, gone) = watch::channel(false);
        let accepted = Arc::new(AtomicUsize::new(0));
        let begin = HEAP.usage().live;
        HEAP.reset();
        let counts = (whole.clone(), lost.clone(), accepted.clone());
        let serving = tokio::spawn(async move {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut connection = server::handshake(listener.accept().await.unwrap().0, config.clone());
                let (awake, counts) = (awake.clone(), counts.clone());
                connections.push(tokio::spawn(async move {
                    while let Some(Ok(incoming)) = connection.accept().await {
                        let (awake, (whole, lost, accepted)) = (awake.clone(), counts.clone());
                        accepted.fetch_add(1, Relaxed);
                        tokio::spawn(async move {
                            match sleeper(incoming, awake).await {
                                Ok(0) => {}
                                Ok(octets) => {
                                    assert_eq!(
                                        octets,
                                        FRAMES * PAYLOAD,
                                        "a part is never taken for the whole"
                                    );
                                    whole.fetch_add(1, Relaxed);
                                }
                                Err(error) => {
                                    assert_eq!(error.misdeed(), Some(Misdeed::MemoryExhausted), "{error}");
                                    lost.fetch_add(1, Relaxed);
                                }
                            }
                        });
                    }
                }));
            }
            for connection in connections {
                connection.await.unwrap();
            }
        });
        let mut peers = Vec::new();
        for _ in 0..CONNECTIONS {
            peers.push(Peer::start(address, STREAMS, FRAMES, gone.clone()).await);
        }
        within("streams are refused", || accepted.load(Relaxed) == CONNECTIONS * STREAMS as usize).await;
        println!("open: {:?}, heap {}", budget.stats(), HEAP.usage().live - begin);
        go.send(true).unwrap();
        // Everything was offered: 234 MiB, of which 32 MiB fit.
        within("a peer cannot get rid of what it may send", || {
            assert!(budget.stats().held <= LIMIT);
            peers.iter().all(|(peer, _)| peer.is_stuck())
        })
        .await;
        let asleep = budget.stats();
        let heap = HEAP.usage();
        // Large blocks are mapped, which the allocator does not see.
        let mapped: usize = pool
            .stats()
            .classes
            .iter()
            .filter(|class| class.capacity >= 16 << 10)
            .map(|class| class.capacity * class.high_water)
            .sum();
        println!("asleep: {asleep:?}, heap {}, mapped {mapped}", heap.peak - begin);
        assert!(asleep.dropped_streams > 0 && asleep.high_water <= LIMIT);
        assert!(heap.peak - begin + mapped <= LIMIT + OVERHEAD, "{} octets on the heap", heap.peak - begin);
        assert!(pool.stats().octets_out <= asleep.held, "{:?}", pool.stats());

        wake.send(true).unwrap();
        let mut outcomes = Vec::new();
        for (peer, sending) in peers {
            // Its last call, on a stream of its own, was answered.
            sending.await.unwrap();
            outcomes.extend(peer.outcomes());
        }
        let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let (answered, dropped) = (count(Outcome::Answered), count(reset(ErrorCode::ENHANCE_YOUR_CALM)));
        let refused = count(reset(ErrorCode::REFUSED_STREAM));
        println!("answered {answered}, dropped {dropped}, refused {refused}");
        assert_eq!(answered + dropped + refused, CONNECTIONS * STREAMS as usize);
        assert!(answered > 100 && dropped > 0);
        serving.await.unwrap();
        within("handlers are left", || whole.load(Relaxed) + lost.load(Relaxed) == answered + dropped).await;
        assert_eq!((whole.load(Relaxed), lost.load(Relaxed)), (answered, dropped));
        within("octets are charged still", || budget.stats().held == 0).await;
        within("blocks are out", || pool.stats().blocks_out == 0).await;
        let stats = budget.stats();
        println!("at the end: {stats:?}, heap peak {}", HEAP.usage().peak - begin);
        assert!(stats.high_water <= LIMIT);
        assert!(stats.refused_streams >= refused as u64);
    });
}
