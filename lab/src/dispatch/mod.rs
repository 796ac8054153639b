//! Brings events and requests to what handles them. It is above everything else in the account: it knows each
//! service's `call` and `handle_event`, and nothing but a transport or a scenario uses it.

mod advance;
mod answer;
mod auth;
pub(crate) mod client;
mod operation;
mod operator;
mod refuse;
mod route;
mod serve;

pub use serve::serve;
