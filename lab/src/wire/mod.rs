//! AWS's wire protocols: how the input of a request is parsed and its response is written. Services only see
//! [`Call`]s and [`Value`]s, never a protocol.

mod call;
mod cbor;
mod error;
mod json;
mod operation;
mod protocol;
mod query;
mod value;
mod xml;

pub use call::{Call, Principal, Service};
pub use error::{ApiError, ApiResult, Fault};
pub use operation::Operation;
pub use value::{Value, map};

pub(crate) use protocol::{Protocol, header, rpc_operation, set_header};
