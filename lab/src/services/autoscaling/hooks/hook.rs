//! Lifecycle hooks as data.

use super::super::errors::invalid;
use crate::wire::{ApiResult, Value, map};

/// The longest that an instance waits in seconds, whatever the heartbeats: 48 hours, or a hundred times the
/// timeout if that is shorter (API model: `GlobalTimeout`).
const LONGEST: u64 = 172_800;

/// The transition at which a hook applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Before an instance comes into service.
    Launching,
    /// After an instance has drained, before it is terminated.
    Terminating,
}

impl Transition {
    /// Both transitions and their names in the API.
    pub(super) const NAMES: [(&str, Transition); 2] = [
        ("autoscaling:EC2_INSTANCE_LAUNCHING", Transition::Launching),
        ("autoscaling:EC2_INSTANCE_TERMINATING", Transition::Terminating),
    ];

    fn read(text: &str) -> ApiResult<Transition> {
        Transition::NAMES.iter().find(|(name, _)| *name == text).map(|(_, t)| *t).ok_or_else(|| {
            invalid(
                "Lifecycle Transition must be one of autoscaling:EC2_INSTANCE_LAUNCHING or autoscaling:EC2_INSTANCE_TERMINATING",
            )
        })
    }

    fn name(self) -> &'static str {
        Transition::NAMES[usize::from(self == Transition::Terminating)].0
    }
}

/// The result of a lifecycle action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionResult {
    /// The instance proceeds.
    Continue,
    /// A launching instance is terminated; a terminating one waits for no other hook.
    Abandon,
}

impl ActionResult {
    pub(super) fn read(text: &str) -> ApiResult<ActionResult> {
        match text {
            "CONTINUE" => Ok(ActionResult::Continue),
            "ABANDON" => Ok(ActionResult::Abandon),
            _ => Err(invalid("Lifecycle Action Result must be one of CONTINUE or ABANDON")),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            ActionResult::Continue => "CONTINUE",
            ActionResult::Abandon => "ABANDON",
        }
    }
}

/// A lifecycle hook.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleHook {
    /// Its name, unique in the group.
    pub name: String,
    /// The transition at which it applies.
    pub transition: Transition,
    /// `HeartbeatTimeout` in seconds.
    pub timeout: u64,
    /// `DefaultResult`: the result when it times out.
    pub default: ActionResult,
    /// `NotificationTargetARN`, `RoleARN` and `NotificationMetadata`: stored, but no notification is sent.
    kept: [Option<String>; 3],
}

/// The names of [`LifecycleHook::kept`].
const KEPT: [&str; 3] = ["NotificationTargetARN", "RoleARN", "NotificationMetadata"];

impl LifecycleHook {
    /// Reads a hook. `before` is the existing hook of this name: settings that the request omits keep its
    /// values.
    pub(super) fn read(input: &Value, before: Option<&LifecycleHook>) -> ApiResult<LifecycleHook> {
        let name = input.need_str("LifecycleHookName")?.to_owned();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
            return Err(invalid(format!(
                "Value '{name}' at 'lifecycleHookName' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9\\-_\\/]+"
            )));
        }
        let transition = match (input.str("LifecycleTransition"), before) {
            (Some(text), _) => Transition::read(text)?,
            (None, Some(before)) => before.transition,
            (None, None) => {
                return Err(invalid("Lifecycle Transition is required when creating a new hook"));
            }
        };
        let timeout = match (input.get("HeartbeatTimeout").is_null(), before) {
            (true, before) => before.map_or(3600, |hook| hook.timeout),
            (false, _) => input
                .int("HeartbeatTimeout")
                .and_then(|n| u64::try_from(n).ok())
                .filter(|n| (30..=7200).contains(n))
                .ok_or_else(|| invalid("Heartbeat Timeout must be between 30 and 7200 seconds"))?,
        };
        let default = match (input.str("DefaultResult"), before) {
            (Some(text), _) => ActionResult::read(text)?,
            (None, before) => before.map_or(ActionResult::Abandon, |hook| hook.default),
        };
        let kept = std::array::from_fn(|i| {
            let given = input.str(KEPT[i]).map(str::to_owned);
            given.or_else(|| before.and_then(|hook| hook.kept[i].clone()))
        });
        Ok(LifecycleHook { name, transition, timeout, default, kept })
    }

    /// Returns the longest that an instance waits for it, in seconds.
    pub(super) fn longest(&self) -> u64 {
        LONGEST.min(self.timeout * 100)
    }

    pub(super) fn to_value(&self, group: &str) -> Value {
        let seconds = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let [target, role, metadata] = &self.kept;
        map([
            ("LifecycleHookName", self.name.as_str().into()),
            ("AutoScalingGroupName", group.into()),
            ("LifecycleTransition", self.transition.name().into()),
            ("NotificationTargetARN", target.clone().into()),
            ("RoleARN", role.clone().into()),
            ("NotificationMetadata", metadata.clone().into()),
            ("HeartbeatTimeout", seconds(self.timeout)),
            ("GlobalTimeout", seconds(self.longest())),
            ("DefaultResult", self.default.name().into()),
        ])
    }
}
