//! Parameter Store's state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(super) parameters: BTreeMap<String, Parameter>,
}

/// One parameter and its latest versions, oldest first; there is always at least one.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) kind: String,
    pub(super) tier: String,
    pub(super) key: Option<String>,
    pub(super) data_type: String,
    pub(super) versions: VecDeque<Version>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) number: i64,
    pub(super) value: String,
    pub(super) modified: Timestamp,
    pub(super) by: String,
    pub(super) description: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) policies: Option<String>,
    pub(super) labels: BTreeSet<String>,
}
