//! An action of a rule, as data.

use crate::wire::Value;

/// One action of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its position among the rule's actions (API: `Order`); stored as given.
    pub order: Option<i64>,
    /// What it does.
    pub kind: ActionKind,
}

/// The types of action.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionKind {
    /// `forward`, to weighted target groups.
    Forward(Forward),
    /// `fixed-response`.
    FixedResponse {
        /// The HTTP status.
        status: u16,
        /// The content type, such as `text/plain`.
        content_type: Option<String>,
        /// The body.
        body: Option<String>,
    },
    /// `redirect`, `authenticate-oidc`, `authenticate-cognito` or `jwt-validation`: stored and described, but
    /// not executed. Requests of simulated users pass through.
    Other {
        /// The type of the action.
        name: String,
        /// The name of the configuration's member, and the configuration without secrets.
        config: (&'static str, Value),
    },
}

/// A forward action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The ARN and weight (0 to 999) of each target group, as given.
    pub groups: Vec<(String, u32)>,
    /// Target group stickiness: whether it is enabled, and its duration in seconds.
    pub stickiness: Option<(bool, Option<i64>)>,
}

impl Action {
    /// Creates a forward to one target group.
    pub fn forward(target_group: &str) -> Action {
        Action::weighted([(target_group.to_owned(), 1)])
    }

    /// Creates a forward to weighted target groups.
    pub fn weighted(groups: impl IntoIterator<Item = (String, u32)>) -> Action {
        let groups = groups.into_iter().collect();
        Action { order: None, kind: ActionKind::Forward(Forward { groups, stickiness: None }) }
    }

    /// Creates a fixed response in plain text.
    pub fn fixed(status: u16, body: &str) -> Action {
        let kind = ActionKind::FixedResponse {
            status,
            content_type: Some("text/plain".to_owned()),
            body: Some(body.to_owned()),
        };
        Action { order: None, kind }
    }

    /// Returns the forward, if this is one.
    pub fn as_forward(&self) -> Option<&Forward> {
        match &self.kind {
            ActionKind::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Returns the forward mutably, if this is one.
    pub fn as_forward_mut(&mut self) -> Option<&mut Forward> {
        match &mut self.kind {
            ActionKind::Forward(forward) => Some(forward),
            _ => None,
        }
    }
}

impl Forward {
    /// Returns whether it lacks the target group stickiness that target groups with target stickiness require.
    /// `sticky` returns whether a target group, by ARN, has target stickiness.
    pub(super) fn lacks_stickiness(&self, sticky: impl Fn(&str) -> bool) -> bool {
        self.groups.len() > 1
            && !self.stickiness.is_some_and(|(enabled, _)| enabled)
            && self.groups.iter().any(|(arn, _)| sticky(arn))
    }
}
