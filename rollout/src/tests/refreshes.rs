//! Which instance refreshes a rollout takes for its own.

use std::time::Duration;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::refresh::own_refresh;
use crate::*;

/// Returns the refresh, newest first, that a rollout takes for its own if it asked for NEW after `before` had been the
/// newest one, and the response was lost.
fn ours(refreshes: Vec<InstanceRefresh>) -> Option<String> {
    let mut observation = group("green", (0, 6, 0), OLD);
    observation.refreshes = Reading::Read(refreshes);
    let facts = RefreshFacts { version: NEW, after: Some("before".to_owned()), id: None };
    let wanted = RefreshPreferences { skip_matching: true, ..RefreshPreferences::default() };
    own_refresh(&observation, &facts, TEMPLATE, &wanted).unwrap().map(|refresh| refresh.id.clone())
}

fn pending(id: &str) -> InstanceRefresh {
    refresh(id, RefreshStatus::Pending, NEW)
}

#[test]
fn a_refresh_whose_id_is_unknown_is_recognized_by_what_it_requests() {
    assert_eq!(ours(vec![pending("mine"), pending("before")]).as_deref(), Some("mine"));
    // The request was sent twice: the first one counts.
    assert_eq!(ours(vec![pending("second"), pending("first")]).as_deref(), Some("first"));
    assert_eq!(ours(vec![pending("before"), pending("older")]), None);
    assert_eq!(ours(vec![refresh("back", RefreshStatus::Pending, OLD)]), None);
    assert_eq!(ours(vec![InstanceRefresh { desired: None, ..pending("theirs") }]), None);
    assert_eq!(ours(vec![InstanceRefresh { preferences: None, ..pending("theirs") }]), None);
}

/// Healthy percentages are not compared, because AWS returns other ones for a small group.
#[test]
fn a_refresh_with_other_preferences_belongs_to_somebody_else() {
    let with = |change: fn(&mut RefreshPreferences)| {
        let mut refresh = pending("it");
        change(refresh.preferences.as_mut().unwrap());
        ours(vec![refresh]).is_some()
    };
    assert!(with(|preferences| preferences.min_healthy = 90));
    assert!(!with(|preferences| preferences.skip_matching = false));
    assert!(!with(|preferences| preferences.auto_rollback = true));
    assert!(!with(|preferences| preferences.bake = Duration::from_secs(60)));
    assert!(!with(|preferences| preferences.checkpoints = vec![50]));
}
