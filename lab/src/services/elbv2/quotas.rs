//! The quotas of an account.

/// The most load balancers in a Region (quota).
pub(super) const LOAD_BALANCERS: usize = 50;
/// The most listeners of a load balancer (quota).
pub(super) const LISTENERS: usize = 50;
/// The most target groups in a Region (quota).
pub(super) const TARGET_GROUPS: usize = 3000;
/// The most rules of a load balancer, not counting default rules (quota).
pub(super) const RULES: usize = 100;
/// The most target groups of a load balancer (quota).
pub(super) const GROUPS_OF_RULES: usize = 100;
