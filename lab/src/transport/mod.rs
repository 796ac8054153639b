//! Transports, which carry requests to a world: [`InProcess`] under Tokio's time, [`Loopback`] over a
//! socket. Both lead to one [`RunningWorld`]. Like a network, a transport delivers a request once it is
//! sent, even if the sender goes away. Watchers are shown a [`WatchEvent`] for everything that happens.

mod in_process;
mod loopback;
mod running;
mod watch;

pub use in_process::InProcess;
pub use loopback::Loopback;
pub use running::RunningWorld;
pub use watch::WatchEvent;
