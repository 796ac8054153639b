//! Recognizes the instance refreshes that a rollout started. StartInstanceRefresh takes no client token, and Cancel and
//! Rollback take no ID: a refresh belongs to the rollout if it is newer than the request and wants what was requested.

use super::{NotReady, ObservedGroup};
use crate::model::{InstanceRefresh, Lifecycle, RefreshFacts, RefreshPreferences, VersionSpec};

/// Returns the rollout's refresh: the one with the known ID, or else the oldest new one that matches the request.
pub(super) fn own_refresh<'a>(
    observed: &'a ObservedGroup,
    facts: &RefreshFacts,
    template: &str,
    preferences: &RefreshPreferences,
) -> Result<Option<&'a InstanceRefresh>, NotReady> {
    let refreshes = observed.refreshes()?;
    if let Some(id) = &facts.id {
        return Ok(refreshes.iter().find(|r| r.id == *id));
    }
    let ours = refreshes
        .iter()
        .take_while(|r| Some(&r.id) != facts.after.as_ref())
        .filter(|r| {
            r.desired.as_ref().is_some_and(|d| d.is(template, facts.version))
                && r.preferences.as_ref().is_some_and(|p| request_the_same(p, preferences))
        })
        .last();
    Ok(ours)
}

/// Returns whether two sets of preferences request the same. Compares only what AWS returns unchanged and what does not
/// depend on the group's size, as the healthy percentages do.
fn request_the_same(a: &RefreshPreferences, b: &RefreshPreferences) -> bool {
    a.skip_matching == b.skip_matching
        && a.auto_rollback == b.auto_rollback
        && a.bake == b.bake
        && a.checkpoints == b.checkpoints
}

/// Returns the group's active refresh, no matter who started it.
pub(super) fn active_refresh(
    observed: &ObservedGroup,
) -> Result<Option<&InstanceRefresh>, NotReady> {
    Ok(observed.refreshes()?.iter().find(|r| r.status.is_active()))
}

/// Checks that no instance refresh of the group is active, no matter who started it.
pub(super) fn check_no_active_refresh(observed: &ObservedGroup) -> Result<(), NotReady> {
    let group = &observed.group.name;
    NotReady::unless(active_refresh(observed)?.is_none(), || {
        format!("an instance refresh of {group} is active")
    })
}

/// Checks that [`is_at_version`] holds.
pub(super) fn check_at_version(
    observed: &ObservedGroup,
    template: &str,
    version: u64,
) -> Result<(), NotReady> {
    let group = &observed.group.name;
    NotReady::unless(is_at_version(observed, template, version), || {
        format!("not every instance of {group} is in service with version {version}")
    })
}

/// Returns whether the group's saved configuration names the version, and all of its instances run it.
pub(super) fn is_at_version(observed: &ObservedGroup, template: &str, version: u64) -> bool {
    saved_version(observed, template) == Some(version)
        && all_instances_at(observed, template, version)
}

/// Returns the version of `template` in the group's saved configuration, if it is a number.
pub(super) fn saved_version(observed: &ObservedGroup, template: &str) -> Option<u64> {
    let saved = observed.group.source.template().filter(|t| t.id == template)?;
    match saved.version {
        VersionSpec::Number(n) => Some(n),
        VersionSpec::Latest | VersionSpec::Default => None,
    }
}

/// Returns what may prevent a group from making progress, as the end of a sentence: its suspended processes. Usually
/// empty.
pub(super) fn suspended_suffix(observed: &ObservedGroup) -> String {
    match observed.group.suspended.as_slice() {
        [] => String::new(),
        processes => {
            format!(
                ", but {} has suspended processes: {}",
                observed.group.name,
                processes.join(", ")
            )
        }
    }
}

/// Describes what a group launches from, for messages.
pub(super) fn describe_source(observed: &ObservedGroup) -> String {
    match observed.group.source.template() {
        Some(template) => format!("version {} of {}", template.version, template.id),
        None => "no launch template".to_owned(),
    }
}

/// Returns whether every instance, except those terminating, was launched from the version and is InService or Pending:
/// a group that scales out is still at the version.
pub(super) fn all_instances_at(observed: &ObservedGroup, template: &str, version: u64) -> bool {
    observed.group.instances.iter().filter(|i| i.lifecycle != Lifecycle::Terminating).all(|i| {
        matches!(i.lifecycle, Lifecycle::InService | Lifecycle::Pending)
            && i.template.as_ref().is_some_and(|t| t.is(template, version))
    })
}
