//! A client and a server of ours, joined by two wires, and an application at each end that does what the input says.
//!
//! The judges, after every step: what each connection counts (streams, unread octets) is what its application counts,
//! and unread octets hold little more memory than they are. Whenever nothing is under way: the pool misses nothing but
//! what is unread or waits for its frame; the window that one side gives is the one that the other has, octets sent are
//! octets received, all SETTINGS are acknowledged. All the time: what one application reads is what the other has sent,
//! octet by octet, and neither side accuses the other of anything but having been slow or busy. At the end every stream
//! that nobody cut short has arrived whole and is closed, no deadline is left, and every block is home.

mod end;
mod ledger;
mod wire;

use std::time::{Duration, Instant};

use millpond::{
    Config, ConfigBuilder, ErrorCode, Manners,
    connection::{Connection, Side},
};

use self::{
    end::{Body, End},
    ledger::Ledger,
};
use super::input::Input;

/// Operations on both ends of one connection.
pub fn connection_ops(data: &[u8]) {
    Pair::new(data).run();
}

struct Pair<'a> {
    input: Input<'a>,
    now: Instant,
    /// The client, and the server.
    ends: [End; 2],
    ledger: Ledger,
}

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "CONNECT"];

impl<'a> Pair<'a> {
    fn new(data: &'a [u8]) -> Self {
        let (mut input, now) = (Input(data), Instant::now());
        let ends = [Side::Client, Side::Server].map(|side| {
            let options = input.octet();
            let manners = if options & 1 == 0 { Manners::Own } else { Manners::H2 };
            End::new(side, manners, now, configure(options))
        });
        Pair { input, now, ends, ledger: Ledger::default() }
    }

    fn run(mut self) {
        while !self.input.is_empty() {
            self.step();
            self.check();
        }
        self.finish();
    }

    /// One operation; the highest bit of the choice says at which end.
    fn step(&mut self) {
        let choice = self.input.octet();
        let side = usize::from(choice >> 7);
        match (choice & 0x7f) % 24 {
            0 | 1 => self.open(),
            2..=4 => self.send(side),
            5 => self.informational(),
            6 => {
                let code = ErrorCode::from(u32::from(self.input.octet() % 14));
                let Some(id) = self.pick(side) else { return };
                self.ends[side].reset(id, code, &mut self.ledger);
            }
            7 => {
                let Some(id) = self.pick(side) else { return };
                self.ends[side].abandon(id, &mut self.ledger);
            }
            8 | 9 => {
                let Some(id) = self.pick(side) else { return };
                let _ = self.ends[side].take(id, &mut self.ledger);
            }
            10 => {
                let octets = self.input.number();
                let Some(id) = self.pick(side) else { return };
                self.ends[side].release(id, octets, &mut self.ledger);
            }
            11 | 12 => {
                let (grow, octets) = ((choice & 0x7f) % 24 == 11, self.input.number() as u32);
                let Some(id) = self.pick(side) else { return };
                self.ends[side].reserve(id, octets, grow, &mut self.ledger);
            }
            13 => {
                let octets = (self.input.number() as u32) << (self.input.octet() % 16);
                self.on(side, |connection| connection.set_initial_window_size(octets));
            }
            14 => {
                let octets = (self.input.number() as u32) << (self.input.octet() % 16);
                self.on(side, |connection| connection.set_target_window_size(octets));
            }
            15 => self.on(side, |connection| {
                connection.ping();
            }),
            16 => {
                let (enough, accepted) = (self.input.number(), self.input.number());
                self.ends[side].append(self.now, enough, &mut self.ledger);
                let _ = self.ends[side].write(accepted, &mut self.ledger);
            }
            17 => drop(self.transmit(side)),
            18 | 19 => {
                let octets = self.input.number();
                let _ = self.carry(side, octets);
            }
            20 => self.settle(),
            21 => self.wait(),
            22 => self.on(side, Connection::shutdown),
            _ => self.trouble(side),
        }
    }

    fn on(&mut self, side: usize, call: impl FnOnce(&mut Connection)) {
        call(&mut self.ends[side].connection);
        self.ends[side].drain(&mut self.ledger);
    }

    /// A stream that the application of this side still holds.
    fn pick(&mut self, side: usize) -> Option<u32> {
        let choice = usize::from(self.input.octet());
        let held = self.ends[side].held();
        held.get(choice % held.len().max(1)).copied()
    }

    fn open(&mut self) {
        let choice = self.input.octet();
        let body = self.body(choice >> 2);
        self.ends[0].open(METHODS[usize::from(choice & 3)], body, &mut self.ledger);
    }

    fn send(&mut self, side: usize) {
        let choice = self.input.octet();
        let body = self.body(choice);
        let Some(id) = self.pick(side) else { return };
        self.ends[side].send(id, body, &mut self.ledger);
    }

    fn informational(&mut self) {
        let Some(id) = self.pick(1) else { return };
        self.ends[1].send_informational(id, &mut self.ledger);
    }

    /// What is sent after the head.
    fn body(&mut self, choice: u8) -> Body {
        let pieces = (0..choice & 3).map(|_| self.input.number() % 20_000).collect();
        let trailers = (choice & 0xc == 4).then(|| u16::from(self.input.octet()));
        Body { pieces, trailers, end: choice & 0xc != 0 }
    }

    /// Everything that this side has to say goes onto the wire.
    fn transmit(&mut self, side: usize) -> bool {
        let mut any = false;
        while self.ends[side].append(self.now, usize::MAX, &mut self.ledger)
            | self.ends[side].write(usize::MAX, &mut self.ledger)
        {
            any = true;
        }
        any
    }

    /// So many octets arrive at the other side.
    fn carry(&mut self, from: usize, octets: usize) -> bool {
        let [client, server] = &mut self.ends;
        let (from, to) = if from == 0 { (client, server) } else { (server, client) };
        let Some(octets) = from.wire.take(octets.clamp(1, 65_535)) else {
            return from.wire.is_over() && to.end_of_file(self.now, &mut self.ledger);
        };
        to.read(self.now, &octets, &mut self.ledger);
        true
    }

    /// Until neither side has anything to say.
    fn settle(&mut self) {
        while self.transmit(0) | self.transmit(1) | self.carry(0, usize::MAX) | self.carry(1, usize::MAX) {}
        self.check();
        self.ends.iter().for_each(End::check_pool);
        if self.ends.iter().any(|end| end.is_over() || end.wire.is_over()) {
            return;
        }
        for (from, to) in [(0, 1), (1, 0)].map(|(from, to)| (&self.ends[from], &self.ends[to])) {
            let (sent, received) = (from.connection.stats(), to.connection.stats());
            assert_eq!(sent.octets_sent, received.octets_received, "octets on the way");
            assert_eq!(sent.send_window, received.recv_window, "one window, seen from both sides");
            assert!(from.connection.is_settled(), "SETTINGS that were not acknowledged");
            for id in from.held().into_iter().filter(|id| to.has(*id)) {
                self.ledger.check_arrived(from.side(), id, from.queued(id));
            }
        }
    }

    fn wait(&mut self) {
        let time = Duration::from_millis(u64::from(self.input.octet()) << (self.input.octet() % 12));
        let quiet = self.ends.iter().all(End::is_quiet);
        self.now += time;
        for end in &mut self.ends {
            end.pass(self.now, quiet, &mut self.ledger);
        }
    }

    /// What goes wrong at times.
    fn trouble(&mut self, side: usize) {
        let choice = self.input.octet();
        match choice % 8 {
            0 => self.on(side, Connection::enable_connect_protocol),
            1 if choice > 100 => {
                self.ends[side].excused = true;
                self.on(side, |connection| connection.abort(ErrorCode::INTERNAL_ERROR));
            }
            2 if choice > 100 => {
                self.ends[side].break_socket(&mut self.ledger);
            }
            // The wire breaks after so many octets; those behind are lost.
            3 if choice > 100 => {
                let octets = self.input.number();
                self.ends[side].wire.cut(octets);
            }
            _ => {}
        }
    }

    fn check(&self) {
        self.ends.iter().for_each(End::check);
    }

    /// Both applications finish what they have begun, and read everything.
    fn finish(mut self) {
        for end in &mut self.ends {
            end.connection.set_initial_window_size(65_535);
            end.connection.set_target_window_size(1 << 20);
        }
        loop {
            self.settle();
            let mut any = false;
            for end in &mut self.ends {
                any |= end.complete(&mut self.ledger);
            }
            if !any {
                break;
            }
        }
        let undisturbed = self.ends.iter().all(|end| !end.is_over() && !end.wire.is_over());
        for end in &self.ends {
            let held = end.held_by_connection();
            assert!(!undisturbed || held.is_empty(), "{:?} waits for ever: {held:?}", end.side());
        }
        if undisturbed {
            self.ledger.check_whole();
            self.on(0, Connection::shutdown);
            self.on(1, Connection::shutdown);
            self.settle();
            assert!(self.ends.iter().all(|end| end.connection.is_finished()), "a shutdown without an end");
        }
        for end in &mut self.ends {
            end.wire.end();
        }
        self.settle();
        for end in self.ends {
            end.finish(self.now, &mut self.ledger);
        }
    }
}

/// The options of one end, from one octet.
fn configure(options: u8) -> ConfigBuilder {
    Config::builder()
        .initial_stream_window_size([65_535, 1_000, 0, 1 << 20][usize::from(options >> 1 & 3)])
        .initial_connection_window_size(if options & 8 == 0 { 65_535 } else { 200_000 })
        .max_unread(if options & 16 == 0 { 0 } else { 50_000 })
        .adaptive_window(options & 32 != 0)
        .max_concurrent_streams(Some(if options & 64 == 0 { 8 } else { 1 }))
        .keep_alive_interval((options & 128 != 0).then_some(Duration::from_secs(5)))
        .max_header_list_size(4_096)
}
