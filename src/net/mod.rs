//! The one transport for all outgoing HTTP, and the clock.
//!
//! Nothing else in the house opens a socket or asks what time it is. Both come as one value,
//! [`Net`], so that a whole deployment runs against the network or inside the lab without knowing.

mod backoff;
mod clock;
mod error;
mod roots;
pub(crate) mod sdk;
mod stopwatch;
mod transport;

pub use backoff::delays;
pub use clock::Clock;
pub use error::TransportError;
pub use stopwatch::Stopwatch;
pub use transport::{Body, BoxError, Transport, empty, full};

/// The way out, and the time: what everything that talks to the world is given.
#[derive(Debug, Clone)]
pub struct Net {
    /// Where requests go.
    pub transport: Transport,
    /// What time it is, and how to wait.
    pub clock: Clock,
}

impl Net {
    /// The real network and the real time.
    ///
    /// # Errors
    /// Where TLS or the system's proxy settings cannot be set up.
    pub fn real() -> Result<Net, TransportError> {
        Ok(Net { transport: Transport::network()?, clock: Clock::system() })
    }
}
