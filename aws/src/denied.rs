//! What AWS says when it denies a request, and what to do about it.

/// A denied action, parsed from AWS's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeniedAction<'m> {
    /// `… is not authorized to perform: ACTION on resource: RESOURCE …` (IAM user guide, "Troubleshoot access
    /// denied error messages"); EC2 puts a sentence before it.
    Action {
        action: &'m str,
        resource: Option<&'m str>,
        /// A statement denies the action explicitly, so allowing it would not help.
        explicit: bool,
    },
    /// Auto Scaling names only the launch template when it may not be launched from (public reports).
    Launch,
    /// EC2 puts the action into an encoded message.
    Encoded,
}

impl DeniedAction<'_> {
    pub(super) fn read(message: &str) -> Option<DeniedAction<'_>> {
        let word =
            |text: &'_ str| -> usize { text.find(char::is_whitespace).unwrap_or(text.len()) };
        if let Some((_, rest)) = message.split_once("not authorized to perform: ") {
            let (action, rest) = rest.split_at(word(rest));
            let resource = rest.split_once("on resource: ").map(|(_, rest)| &rest[..word(rest)]);
            let explicit = message.contains("explicit deny");
            return Some(DeniedAction::Action { action, resource, explicit });
        }
        if message.contains("not authorized to use launch template") {
            return Some(DeniedAction::Launch);
        }
        message.contains("Encoded authorization failure message").then_some(DeniedAction::Encoded)
    }
}

/// Returns a hint for a denied `operation`.
pub(super) fn denied_hint(operation: &str, message: &str) -> String {
    const PRINTS: &str = "`cutover iam` prints the least-privilege policy of the deploy role";
    match DeniedAction::read(message) {
        Some(DeniedAction::Action { action, explicit: true, .. }) => format!(
            "remove the explicit deny of `{action}` from the role's policies, its permissions boundary, or the \
             organization's service control policies"
        ),
        Some(DeniedAction::Action { action, resource, .. }) => {
            let on = resource.filter(|resource| *resource != "*");
            let on = on.map(|resource| format!(" on {resource}")).unwrap_or_default();
            format!("allow `{action}`{on} in the policy of the role that runs this; {PRINTS}")
        }
        Some(DeniedAction::Launch) => format!(
            "allow what launching from the template needs in the policy of the role that runs this: `ec2:RunInstances`, \
             `ec2:CreateTags` if the template has tag specifications, `iam:PassRole` if it has an instance profile, and \
             `ssm:GetParameters` if its AMI is a parameter; {PRINTS}"
        ),
        Some(DeniedAction::Encoded) => format!(
            "allow `{operation}` in the policy of the role that runs this; {PRINTS}; `aws sts decode-authorization-message \
             --encoded-message` shows which action AWS denied"
        ),
        None => format!("allow `{operation}` in the policy of the role that runs this; {PRINTS}"),
    }
}
