//! STS's state.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::Principal;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(super) sessions: BTreeMap<String, Session>,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) token: String,
    pub(super) principal: Principal,
    pub(super) expires: Timestamp,
}
