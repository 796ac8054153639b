//! How calls look on the wire: which service a request is for, how its input is read and how its
//! answer is written. Services see only [`Call`]s and [`Value`]s, never a protocol.

mod call;
mod error;
mod serve;
mod value;

pub use call::{Call, Principal, Service};
pub use error::{ApiError, ApiResult, Fault};
pub use serve::serve;
pub use value::{Value, map};
