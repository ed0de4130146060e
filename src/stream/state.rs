//! The states of a stream and every allowed move between them (RFC 9113 §5.1, figure 2).
//!
//! Always true here: [`State::after`] is the only place where a stream changes state; what it does not list is
//! an error. Push is left out, so the two reserved states do not exist.

use crate::error::Misdeed;

/// Where a stream stands (RFC 9113 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing was sent or received on it.
    Idle,
    /// Both sides may send.
    Open,
    /// We have ended our side; the peer may still send.
    HalfClosedLocal,
    /// The peer has ended its side; we may still send.
    HalfClosedRemote,
    /// Both sides have ended, or one has reset it.
    Closed,
}

/// What can happen to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The peer sent a field section; `end` is END_STREAM.
    RecvHeaders {
        /// Whether END_STREAM was set.
        end: bool,
    },
    /// The peer sent DATA.
    RecvData {
        /// Whether END_STREAM was set.
        end: bool,
    },
    /// The peer sent RST_STREAM.
    RecvReset,
    /// We send a field section.
    SendHeaders {
        /// Whether END_STREAM is set.
        end: bool,
    },
    /// We send DATA.
    SendData {
        /// Whether END_STREAM is set.
        end: bool,
    },
    /// We send RST_STREAM.
    SendReset,
}

/// Why a move is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The peer broke §5.1.
    Peer(Misdeed),
    /// Our own side may not do this now.
    Local,
}

impl State {
    /// The state that follows, or why there is none.
    pub(crate) fn after(self, input: Input) -> Result<State, Refusal> {
        use Input::*;
        use State::*;
        Ok(match (self, input) {
            (Idle, RecvHeaders { end: false } | SendHeaders { end: false }) => Open,
            (Idle, RecvHeaders { end: true }) => HalfClosedRemote,
            (Idle, SendHeaders { end: true }) => HalfClosedLocal,

            (Open, RecvHeaders { end } | RecvData { end }) => {
                if end {
                    HalfClosedRemote
                } else {
                    Open
                }
            }
            (Open, SendHeaders { end } | SendData { end }) => {
                if end {
                    HalfClosedLocal
                } else {
                    Open
                }
            }

            (HalfClosedLocal, RecvHeaders { end } | RecvData { end }) => {
                if end {
                    Closed
                } else {
                    HalfClosedLocal
                }
            }
            (HalfClosedRemote, SendHeaders { end } | SendData { end }) => {
                if end {
                    Closed
                } else {
                    HalfClosedRemote
                }
            }

            (Open | HalfClosedLocal | HalfClosedRemote, RecvReset | SendReset) => Closed,
            // A RST_STREAM may cross with the end of the stream (§5.1, "closed").
            (Closed, RecvReset) => Closed,

            (Idle, RecvData { .. } | RecvReset) => return Err(Refusal::Peer(Misdeed::FrameOnIdleStream)),
            (HalfClosedRemote, RecvHeaders { .. }) => return Err(Refusal::Peer(Misdeed::HeadersAfterEnd)),
            (HalfClosedRemote, RecvData { .. }) => return Err(Refusal::Peer(Misdeed::DataAfterEnd)),
            (Closed, RecvHeaders { .. } | RecvData { .. }) => {
                return Err(Refusal::Peer(Misdeed::DataOnClosedStream));
            }
            (_, SendHeaders { .. } | SendData { .. } | SendReset) => return Err(Refusal::Local),
        })
    }

    /// Whether the peer may still send DATA or trailers.
    pub(crate) fn can_recv(self) -> bool {
        matches!(self, State::Open | State::HalfClosedLocal)
    }

    /// Whether we may still send DATA or trailers.
    pub(crate) fn can_send(self) -> bool {
        matches!(self, State::Open | State::HalfClosedRemote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] =
        [State::Idle, State::Open, State::HalfClosedLocal, State::HalfClosedRemote, State::Closed];
    const INPUTS: [Input; 10] = [
        Input::RecvHeaders { end: false },
        Input::RecvHeaders { end: true },
        Input::RecvData { end: false },
        Input::RecvData { end: true },
        Input::RecvReset,
        Input::SendHeaders { end: false },
        Input::SendHeaders { end: true },
        Input::SendData { end: false },
        Input::SendData { end: true },
        Input::SendReset,
    ];

    /// The whole matrix, printed; compared with the committed `state.snapshot` line by line.
    #[test]
    fn the_whole_matrix() {
        let mut printed = String::new();
        for state in STATES {
            for input in INPUTS {
                let after = match state.after(input) {
                    Ok(next) => format!("{next:?}"),
                    Err(Refusal::Peer(misdeed)) => format!("peer error {misdeed:?} ({})", misdeed.code()),
                    Err(Refusal::Local) => "refused to the caller".to_owned(),
                };
                printed.push_str(&format!(
                    "{:<16} + {:<27} -> {after}\n",
                    format!("{state:?}"),
                    format!("{input:?}")
                ));
            }
        }
        assert_eq!(printed, include_str!("state.snapshot"), "\n{printed}");
    }

    #[test]
    fn a_closed_stream_never_opens_again() {
        for input in INPUTS {
            assert!(matches!(State::Closed.after(input), Ok(State::Closed) | Err(_)));
        }
    }

    #[test]
    fn who_may_send_agrees_with_the_moves() {
        for state in [State::Open, State::HalfClosedLocal, State::HalfClosedRemote, State::Closed] {
            assert_eq!(state.can_recv(), state.after(Input::RecvData { end: false }).is_ok(), "{state:?}");
            assert_eq!(state.can_send(), state.after(Input::SendData { end: false }).is_ok(), "{state:?}");
        }
    }
}
