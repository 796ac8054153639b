//! IAM: who may assume a role, and what a role may do. Trust policies are always evaluated; permissions only
//! in a world that enforces them ([`State::enforced`]), since most worlds are about something else.

mod authorization;
mod calls;
mod conditions;
mod create;
mod documents;
mod elements;
mod errors;
mod find;
mod listing;
mod policies;
mod profiles;
mod providers;
mod required_permissions;
mod role_policies;
mod roles;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod trust;

pub use calls::call;
pub use create::{
    create_instance_profile, create_instance_role, create_oidc_provider, create_role, github_trust,
    put_inline_policy,
};
pub use find::leftovers;
pub use state::{CheckedActions, InstanceProfile, OidcProvider, Policy, Role, State};

pub(crate) use authorization::{authorize_action, authorize_call};
pub(crate) use find::{find_instance_profile, role};
pub(crate) use trust::{AssumeRoleRequest, allows};
