//! The one transport for all outgoing HTTP, and the clock.
