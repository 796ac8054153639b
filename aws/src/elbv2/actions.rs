//! The actions of a rule. AWS replaces the whole list, so all other actions are sent along with the forward.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, TargetGroupStickinessConfig, TargetGroupTuple,
};

use crate::convert::{count, signed};
use cutover_rollout::model::{Forward, Stickiness};

/// The actions as AWS returned them. They are opaque except for the forward, which can be read and replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct RawActions(pub(super) Vec<Action>);

impl RawActions {
    /// Returns the forward, normalized: AWS returns a forward to a single target group in two forms (recorded
    /// once), and the order of target groups has no meaning.
    pub(super) fn forward(&self) -> Option<Forward> {
        let action = self.0.iter().find(|action| is_forward(action))?;
        let config = action.forward_config();
        let groups = config.map(ForwardActionConfig::target_groups).unwrap_or_default();
        let mut weights: Vec<(String, u16)> = groups
            .iter()
            .filter_map(|group| Some((group.target_group_arn.clone()?, weight(group.weight))))
            .collect();
        if weights.is_empty() {
            weights.push((action.target_group_arn.clone()?, 1));
        }
        // All traffic goes to the only target group, whatever its weight.
        if let [(_, only)] = weights.as_mut_slice() {
            *only = 1;
        }
        weights.sort();
        let stickiness = config
            .and_then(ForwardActionConfig::target_group_stickiness_config)
            .filter(|sticky| sticky.enabled().unwrap_or(false))
            .map(|sticky| Stickiness { seconds: count(sticky.duration_seconds()) });
        Some(Forward { weights, stickiness })
    }

    /// Returns the ARNs of the Cognito user pools in the actions. Elastic Load Balancing checks their clients
    /// whenever the actions are set.
    pub fn user_pools(&self) -> Vec<String> {
        let configs = self.0.iter().filter_map(|action| action.authenticate_cognito_config());
        configs.filter_map(|config| config.user_pool_arn().map(str::to_owned)).collect()
    }

    /// Returns the list to send so that only the forward changes, to `wanted`; `None` if there is no forward to
    /// replace.
    pub(super) fn with_forward(&self, wanted: &Forward) -> Option<Vec<Action>> {
        let mut actions = self.0.clone();
        let forward = actions.iter_mut().find(|action| is_forward(action))?;
        // If both forms are sent, they must match (API model), so only the general one is sent.
        forward.target_group_arn = None;
        forward.forward_config = Some(config(wanted));
        for action in &mut actions {
            if let Some(oidc) = &mut action.authenticate_oidc_config {
                // AWS never returns the secret; this keeps the existing one (API model).
                oidc.client_secret = None;
                oidc.use_existing_client_secret = Some(true);
            }
        }
        Some(actions)
    }
}

fn is_forward(action: &Action) -> bool {
    action.r#type() == Some(&ActionTypeEnum::Forward)
}

/// Converts a weight. A missing weight counts as 1 (an assumption: the API model does not say).
fn weight(weight: Option<i32>) -> u16 {
    weight.and_then(|weight| u16::try_from(weight).ok()).unwrap_or(1)
}

fn config(forward: &Forward) -> ForwardActionConfig {
    let groups = forward.weights.iter().map(|(arn, weight)| {
        TargetGroupTuple::builder().target_group_arn(arn).weight(i32::from(*weight)).build()
    });
    let stickiness = TargetGroupStickinessConfig::builder()
        .enabled(forward.stickiness.is_some())
        .set_duration_seconds(forward.stickiness.map(|sticky| signed(sticky.seconds)))
        .build();
    ForwardActionConfig::builder()
        .set_target_groups(Some(groups.collect()))
        .target_group_stickiness_config(stickiness)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types::{
        AuthenticateOidcActionConfig, FixedResponseActionConfig,
    };

    fn forward(weights: &[(&str, u16)], stickiness: Option<u32>) -> Forward {
        Forward {
            weights: weights.iter().map(|(arn, weight)| ((*arn).to_owned(), *weight)).collect(),
            stickiness: stickiness.map(|seconds| Stickiness { seconds }),
        }
    }

    fn action(config: Option<&Forward>, arn: Option<&str>) -> Action {
        Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .order(2)
            .set_target_group_arn(arn.map(str::to_owned))
            .set_forward_config(config.map(super::config))
            .build()
    }

    #[test]
    fn the_two_forms_of_a_single_forward_are_one() {
        let short = RawActions(vec![action(None, Some("tg-a"))]);
        let long = RawActions(vec![action(Some(&forward(&[("tg-a", 100)], None)), Some("tg-a"))]);
        assert_eq!(short.forward(), Some(forward(&[("tg-a", 1)], None)));
        assert_eq!(short.forward(), long.forward());
    }

    #[test]
    fn groups_are_read_in_the_order_of_their_arns() {
        let read =
            RawActions(vec![action(Some(&forward(&[("tg-b", 5), ("tg-a", 95)], Some(60))), None)]);
        assert_eq!(read.forward(), Some(forward(&[("tg-a", 95), ("tg-b", 5)], Some(60))));
    }

    #[test]
    fn actions_before_the_forward_are_kept() {
        let oidc = AuthenticateOidcActionConfig::builder().issuer("https://id").client_id("web");
        let login = Action::builder()
            .r#type(ActionTypeEnum::AuthenticateOidc)
            .order(1)
            .authenticate_oidc_config(oidc.build())
            .build();
        let before = RawActions(vec![login, action(None, Some("tg-a"))]);
        let wanted = forward(&[("tg-a", 90), ("tg-b", 10)], None);

        let sent = before.with_forward(&wanted).unwrap();
        let oidc = sent[0].authenticate_oidc_config().unwrap();
        assert_eq!(
            (oidc.issuer(), oidc.use_existing_client_secret()),
            (Some("https://id"), Some(true))
        );
        assert_eq!((sent[1].order(), sent[1].target_group_arn()), (Some(2), None));
        assert_eq!(RawActions(sent).forward(), Some(wanted));
    }

    #[test]
    fn a_fixed_response_has_no_forward() {
        let fixed = FixedResponseActionConfig::builder().status_code("503").build();
        let fixed = RawActions(vec![
            Action::builder()
                .r#type(ActionTypeEnum::FixedResponse)
                .fixed_response_config(fixed)
                .build(),
        ]);
        assert_eq!(fixed.forward(), None);
        assert!(fixed.with_forward(&forward(&[("tg-a", 1)], None)).is_none());
    }
}
