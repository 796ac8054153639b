//! The ways into a world: [`InProcess`] under Tokio's time, [`Loopback`] over a socket. Both carry
//! requests to one [`Running`] world. Once a request is sent its door delivers it, even if the sender
//! goes away, as a network does. [`Moment`]s of all that happens are shown to those who watch.

mod in_process;
mod loopback;
mod running;
mod watch;

pub use in_process::InProcess;
pub use loopback::Loopback;
pub use running::Running;
pub use watch::Moment;
