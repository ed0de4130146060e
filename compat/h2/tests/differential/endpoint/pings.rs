//! The application's PINGs.

use super::{
    Common,
    failure::called,
    failure::came,
    h2::{Ping, PingPong},
};
use crate::{executor::Task, trace::Event};

#[derive(Default)]
pub(super) struct Pings {
    pings: Option<PingPong>,
    /// Whether an answer is waited for.
    waits: bool,
    pub(super) task: Task,
}

impl Pings {
    pub(super) fn start(&mut self, pings: PingPong) {
        self.pings = Some(pings);
    }

    pub(super) fn send(&mut self, common: &Common) {
        let Some(pings) = &mut self.pings else { return common.write(Event::Skipped("send_ping")) };
        let sent = pings.send_ping(Ping::opaque());
        common.write(called("send_ping", sent.map(|()| String::new())));
        self.waits = true;
        self.task.wake();
    }

    pub(super) fn run(&mut self, common: &Common) -> bool {
        let Pings { pings, waits, task } = self;
        task.run(|cx| {
            if *waits
                && let Some(pings) = pings
                && let std::task::Poll::Ready(pong) = pings.poll_pong(cx)
            {
                *waits = false;
                common.write(came("pong", pong.map(|_| String::new())));
            }
        })
    }
}
