//! Resources for tests.

use super::{Repositories, Resources};

/// Returns resources in which every list has entries.
pub(super) fn everything() -> Resources {
    let mut known = Resources::of("aws", "eu-west-1", "123456789012", "web");
    let repository = known.arn("ecr", "repository/web");
    let load_balancing =
        |resource: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{resource}");
    known.launch_template = Some(known.template_arn("lt-1"));
    known.groups = vec![known.group_arn("web-blue"), known.group_arn("web-green")];
    known.instance_roles = vec!["arn:aws:iam::123456789012:role/web-instance".to_owned()];
    known.launched = vec![known.launched_arn("instance"), known.launched_arn("volume")];
    known.image_parameters = vec![known.parameter_arn("/aws/service/al2023")];
    known.rules = vec![load_balancing("listener-rule/app/web/1/2/3")];
    known.listeners = vec![load_balancing("listener/app/web/1/2")];
    known.user_pools = vec![known.arn("cognito-idp", "userpool/eu-west-1_1")];
    known.signing_profiles = vec![known.arn("signer", "/signing-profiles/web")];
    known.repositories = Repositories {
        pushed: vec![repository.clone()],
        own: vec![repository],
        bases: vec![known.arn("ecr", "repository/base")],
    };
    known
}
