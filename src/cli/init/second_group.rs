//! A template that adds a second group to a live one.

use serde_json::json;

use super::result::InitResult;
use super::{Init, Language, internal_error};
use crate::discovery::Fleet;
use crate::iam::shell_word;
use crate::scaffold::{self, File, LiveGroup};
use cutover_aws::Aws;
use cutover_rollout::model::Failure;

impl Init {
    pub(super) async fn second_group(&self, cloud: &Aws) -> Result<InitResult, Failure> {
        let refused = |message: String| Failure::refused(message);
        let (account, service, _) = self.read(cloud).await?;
        let member = match &service.fleet {
            Fleet::Single(member) => member,
            Fleet::Pair { sides, .. } => {
                return Err(refused(format!(
                    "`{}` and `{}` are already two groups of one service: run `cutover init --group {}`",
                    sides.blue.group.name,
                    sides.green.group.name,
                    shell_word(&sides.blue.group.name)
                )));
            }
        };
        if let Some(gap) = account.gaps.first() {
            return Err(refused(format!("a second group needs more permissions: {gap}")));
        }
        let name = &member.group.name;
        let target_group = member.target_group.as_deref().unwrap_or_default();
        if target_group.is_empty() {
            return Err(refused(format!(
                "`{name}` is not attached to a target group, so no traffic can be shifted"
            )));
        }
        let rules: Vec<_> = service.rules.iter().map(|rule| rule.id.clone()).collect();
        let live = LiveGroup {
            account: &account,
            service: &service,
            member,
            group: cloud.group_blueprint(name).await.map_err(Failure::from)?,
            target_group: cloud
                .target_group_blueprint(target_group)
                .await
                .map_err(Failure::from)?,
            rules: cloud.rule_blueprints(&rules).await.map_err(Failure::from)?,
        };
        let second = scaffold::second_group(&live).map_err(refused)?;
        let path = self.with.file("second-group");
        let text = match self.with {
            Language::Cloudformation => second.cloudformation(),
            Language::Terraform => second.terraform(),
        };
        let text = text.map_err(|error| internal_error(&error))?;
        let create = match self.with {
            Language::Cloudformation => format!(
                "aws cloudformation deploy --region {} --stack-name {} --template-file {path}",
                second.region, second.target_group
            ),
            Language::Terraform => {
                "terraform -chdir=deploy init && terraform -chdir=deploy apply".to_owned()
            }
        };
        let pair = [name, &second.group].map(|name| shell_word(name));
        let facts = [
            ("group", json!(second.group)),
            ("target_group", json!(second.target_group)),
            ("priority", json!(second.priority)),
        ];
        Ok(InitResult {
            title: format!("{name}: one group, launch template version {}", second.version),
            found: vec![
                ("new group", format!("{}, empty until a rollout", second.group)),
                ("target group", second.target_group.clone()),
                ("test rule", format!("priority {}, X-Cutover: next", second.priority)),
            ],
            facts: facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            files: vec![File { path, text }],
            notes: vec![scaffold::NOT_COPIED.to_owned()],
            next: vec![
                (create, "free until a rollout launches instances in the group"),
                (
                    format!("cutover init --force --group {} --group {}", pair[0], pair[1]),
                    "sets up a canary with both groups",
                ),
            ],
            complete: true,
        })
    }
}
