//! Which instance refresh is ours. Start takes no client token, and Cancel and Rollback name no id:
//! a refresh is ours if it was not there before we asked, and wants what we asked for.

use super::GroupSeen;
use crate::model::{InstanceRefresh, Lifecycle, Preferences, RefreshFacts, VersionSpec};

/// Our refresh among those listed, known by id or recognised by being new and alike.
pub(super) fn ours<'a>(
    seen: &'a GroupSeen,
    facts: &RefreshFacts,
    template: &str,
    preferences: &Preferences,
) -> Option<&'a InstanceRefresh> {
    if let Some(id) = &facts.id {
        return seen.refreshes.iter().find(|r| r.id == *id);
    }
    seen.refreshes
        .iter()
        .take_while(|r| Some(&r.id) != facts.after.as_ref())
        .filter(|r| {
            r.desired.as_ref().is_some_and(|d| d.is(template, facts.version))
                && r.preferences.as_ref().is_some_and(|p| alike(p, preferences))
        })
        .last()
}

/// Whether two sets of preferences ask for the same, as far as AWS echoes them faithfully and the
/// group's size since does not change them: the healthy bounds depend on it.
fn alike(a: &Preferences, b: &Preferences) -> bool {
    a.skip_matching == b.skip_matching
        && a.auto_rollback == b.auto_rollback
        && a.bake == b.bake
        && a.checkpoints == b.checkpoints
}

/// The group's active refresh, whoever asked for it.
pub(super) fn active(seen: &GroupSeen) -> Option<&InstanceRefresh> {
    seen.refreshes.iter().find(|r| r.status.is_active())
}

/// Whether the group launches from the version, and all of its instances were launched from it and
/// are in service.
pub(super) fn at_version(seen: &GroupSeen, template: &str, version: u64) -> bool {
    saved(seen, template) == Some(version) && instances_at(seen, template, version)
}

/// The number that the group's saved configuration names of `template`.
pub(super) fn saved(seen: &GroupSeen, template: &str) -> Option<u64> {
    let saved = seen.group.source.template().filter(|t| t.id == template)?;
    match saved.version {
        VersionSpec::Number(n) => Some(n),
        VersionSpec::Latest | VersionSpec::Default => None,
    }
}

/// What may keep a group from what is waited for, as the end of a sentence; mostly nothing.
pub(super) fn but_suspended(seen: &GroupSeen) -> String {
    match seen.group.suspended.as_slice() {
        [] => String::new(),
        processes => format!(", but {} has suspended {}", seen.group.name, processes.join(", ")),
    }
}

/// What a group's saved configuration names, for people.
pub(super) fn launches_from(seen: &GroupSeen) -> String {
    match seen.group.source.template() {
        Some(template) => format!("version {} of {}", template.version, template.id),
        None => "no launch template".to_owned(),
    }
}

/// Whether every instance, apart from those already leaving, is in service from the version, or
/// coming up from it: a group that grows is no less at the version.
pub(super) fn instances_at(seen: &GroupSeen, template: &str, version: u64) -> bool {
    seen.group.instances.iter().filter(|i| i.lifecycle != Lifecycle::Terminating).all(|i| {
        matches!(i.lifecycle, Lifecycle::InService | Lifecycle::Pending)
            && i.template.as_ref().is_some_and(|t| t.is(template, version))
    })
}
