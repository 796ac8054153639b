//! Turns the parsed document into a [`Config`]. Errors are collected: a wrong value is replaced by its
//! default so that the rest can be checked, and in the end no [`Config`] is returned.

mod assembly;
mod attach;
mod build;
mod checker;
mod ecr;
mod fleet;
mod image;
mod rollout;
mod service_location;
mod traffic;

use std::path::PathBuf;

use self::checker::Checker;
use self::rollout::minutes;
use self::service_location::ServiceLocation;
use super::document::{Document, TemplateSection, UserDataSection};
use super::error::Diagnostic;
use super::settings::{Config, Fleet, ScaleIn, Template, UserData};
use super::values::{
    A_ROLE, A_SERVICE, account_of_role, check_service_name, is_account, is_region, role_elsewhere,
};
use cutover_rollout::Deadlines;
use cutover_rollout::model::Strategy;

/// Validates `document`, which was parsed from `text`.
///
/// # Errors
/// All errors in the file.
pub(super) fn resolve(document: Document, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let mut check = Checker::new(text);
    if document.version.value != 1 {
        check.at(
            document.version.place,
            format!("version {} of the file format is not supported", document.version.value),
            "write `version: 1`, or use a newer release of cutover",
        );
    }
    if let Some(environments) = &document.environments {
        check.unsupported(
            "environments",
            environments.place,
            "keep one file per environment and name it with `--config`",
        );
    }
    if let Some(proof) = &document.proof {
        check.unsupported(
            "proof",
            proof.place,
            "remove it: cutover verifies the launch template version of the instances instead",
        );
    }
    let strategy = Strategy::from(document.strategy.value);
    let (account, role) = identity(&document, &mut check);
    let place = ServiceLocation {
        region: Some(document.region.value.as_str()).filter(|region| is_region(region)),
        account: account.as_deref().filter(|account| is_account(account)),
    };
    let fleet = fleet::resolve(&document, strategy, &mut check);
    // If fleet and strategy don't match, either one may be the error: the fleet decides here.
    let single = matches!(fleet, Some(Fleet::Single(_)));
    let traffic = traffic::resolve(&document, single, place, &mut check);
    let image = image::resolve(document.image.as_ref(), place, &mut check);
    let template = template(document.template.as_ref(), &mut check);
    let steps = rollout::steps(&document, strategy, &mut check);
    let rolling = rollout::rolling(document.rolling.as_ref(), &mut check);
    let smoke = rollout::smoke(&document, single, &mut check);
    let judge = rollout::judge(document.judge.as_ref(), single, &mut check);
    let deadlines = deadlines(&document, &mut check);
    let rollback_window = check.duration(document.rollback_window.as_ref(), minutes(30));
    let retire = document.scale_in.as_ref().map_or(ScaleIn::default(), |retire| retire.value);
    match fleet {
        Some(fleet) if check.mistakes.is_empty() => Ok(Config {
            directory: PathBuf::new(),
            service: document.service.value,
            region: document.region.value,
            account,
            role,
            image,
            template,
            fleet,
            traffic,
            strategy,
            steps,
            rolling,
            smoke,
            judge,
            rollback_window,
            scale_in: retire,
            deadlines,
        }),
        _ => Err(check.mistakes),
    }
}

/// Checks service, Region, account and role; returns the accepted account and the role.
fn identity(document: &Document, check: &mut Checker<'_>) -> (Option<String>, Option<String>) {
    let service = &document.service;
    if check_service_name(&service.value).is_err() {
        check.at(
            service.place,
            format!("`{}` is not a valid service name", service.value),
            A_SERVICE,
        );
    }
    if !is_region(&document.region.value) {
        check.at(
            document.region.place,
            format!("`{}` is not a Region", document.region.value),
            "write a Region code, as in `ap-northeast-2`",
        );
    }
    let account = document.account.as_ref();
    if let Some(account) = account.filter(|account| !is_account(&account.value)) {
        check.at(
            account.place,
            format!("`{}` is not an account id", account.value),
            "write twelve digits in quotes, as in \"123456789012\"",
        );
    }
    let Some(role) = &document.role else {
        return (account.map(|account| account.value.clone()), None);
    };
    let of_role = account_of_role(&role.value);
    match of_role {
        None => check.at(
            role.place,
            format!("`{}` is not the ARN of a role", role.value),
            format!("write the complete ARN, as in `{A_ROLE}`"),
        ),
        Some(of_role) => {
            let other = account
                .map(|account| account.value.as_str())
                .filter(|account| is_account(account) && of_role != *account);
            if let Some(account) = other {
                check.at(
                    role.place,
                    role_elsewhere(of_role, account),
                    "correct one of them: cutover changes resources in the account of the role",
                );
            }
        }
    }
    let account =
        account.map(|account| account.value.clone()).or_else(|| of_role.map(str::to_owned));
    (account, Some(role.value.clone()))
}

fn template(section: Option<&TemplateSection>, check: &mut Checker<'_>) -> Template {
    let Some(section) = section else {
        return Template { name: None, user_data: UserData::default() };
    };
    let base = section.base.as_ref();
    if let Some(own) = &section.own
        && base.is_none_or(|base| base.value != own.value)
    {
        check.unsupported(
            "own",
            own.place,
            "set `base` to the launch template of the groups, and remove `own` or give it the same \
            name",
        );
    }
    let user_data = match &section.user_data {
        Some(UserDataSection::File(path)) => {
            check.filled(path, "a file path");
            UserData::File(PathBuf::from(&path.value))
        }
        Some(UserDataSection::Rewrite) | None => UserData::Rewrite,
    };
    Template { name: base.map(|base| base.value.clone()), user_data }
}

fn deadlines(document: &Document, check: &mut Checker<'_>) -> Deadlines {
    let section = document.deadlines.as_ref();
    let mut read =
        |pick: fn(&super::document::DeadlineSection) -> Option<&super::at::Located<String>>,
         default| { check.positive_duration(section.and_then(pick), default) };
    Deadlines {
        refresh: read(|s| s.refresh.as_ref(), minutes(20)),
        healthy: read(|s| s.healthy.as_ref(), minutes(10)),
        evidence: read(|s| s.evidence.as_ref(), minutes(30)),
    }
}
