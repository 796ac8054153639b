//! The one transport for all outgoing HTTP, and the clock.
//!
//! Apart from connections to a container engine, nothing else in the crate opens a socket or reads the time.
//! Both are passed as one value, [`Net`], so that a whole deployment runs against the network or inside the
//! lab without knowing which.

mod backoff;
mod clock;
mod error;
mod roots;
mod stopwatch;
mod transport;
mod upgrade;

pub use backoff::delays;
pub use clock::Clock;
pub use error::TransportError;
pub use stopwatch::Stopwatch;
pub use transport::{Body, BoxError, Transport, empty, full};
pub use upgrade::upgrade;

/// The transport and the clock, which everything that talks to the outside is given.
#[derive(Debug, Clone)]
pub struct Net {
    /// Where requests go.
    pub transport: Transport,
    /// The current time, and waiting.
    pub clock: Clock,
}

impl Net {
    /// Returns the real network and the machine's clock.
    ///
    /// # Errors
    /// Fails if TLS or the system's proxy settings cannot be set up.
    pub fn real() -> Result<Net, TransportError> {
        Ok(Net { transport: Transport::network()?, clock: Clock::system() })
    }
}
