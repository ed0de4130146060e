//! hyper's own client and server, each on one end of a TCP connection.

mod calls;
mod cancellation;
mod errors;
mod flow;
mod life;
mod limits;
mod tunnel;
