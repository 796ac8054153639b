//! `traffic`: the rules and the test rule.

use super::checker::Checker;
use super::service_location::ServiceLocation;
use crate::at::Located;
use crate::document::{Document, TestSection};
use crate::settings::{TestRule, Traffic};
use crate::values::Arn;
use cutover_rollout::model::RuleId;

const SHOW: &str = "`aws elbv2 describe-rules --listener-arn …` lists them";

pub(super) fn resolve(
    document: &Document,
    single: bool,
    surroundings: ServiceLocation<'_>,
    check: &mut Checker<'_>,
) -> Traffic {
    let Some(section) = &document.traffic else { return Traffic::default() };
    if single {
        check.unused_with_rolling(
            "traffic",
            section.place,
            "remove it: with one group, no traffic is shifted",
        );
        return Traffic::default();
    }
    let rules = section.value.rules.as_ref().map(|rules| {
        if rules.value.is_empty() {
            check.key(
                "rules",
                rules.place,
                "`rules` is empty, so no traffic could be shifted",
                "name the rules, or remove the key to use every rule that forwards to the target groups",
            );
        }
        rules.value.iter().filter_map(|rule| rule_id(rule, surroundings, check)).collect()
    });
    let test = section.value.test.as_ref().and_then(|test| route(&test.value, check));
    Traffic { rules, test }
}

fn rule_id(
    rule: &Located<String>,
    surroundings: ServiceLocation<'_>,
    check: &mut Checker<'_>,
) -> Option<RuleId> {
    let arn = Arn::parse(&rule.value).filter(|arn| arn.service == "elasticloadbalancing").or_else(
        || {
            check.at(
                rule.place,
                "this is not the ARN of a rule",
                format!("write the complete ARN; {SHOW}"),
            );
            None
        },
    )?;
    if let Some(region) = surroundings.region.filter(|region| arn.region != *region) {
        check.at(
            rule.place,
            format!("this rule is in {}, but the service is in {region}", arn.region),
            format!("name a rule in the service's Region; {SHOW}"),
        );
    } else if let Some(account) = surroundings.account.filter(|account| arn.account != *account) {
        check.at(
            rule.place,
            format!(
                "this rule is in account {}, but the service is in account {account}",
                arn.account
            ),
            format!("name a rule in the service's account; {SHOW}"),
        );
    }
    let mut kinds = arn.resource.split('/');
    match (kinds.next(), kinds.next()) {
        (Some("listener-rule"), Some("app")) => Some(RuleId::Rule(rule.value.clone())),
        (Some("listener"), Some("app")) => Some(RuleId::ListenerDefault(rule.value.clone())),
        (Some("listener-rule" | "listener"), Some("net" | "gwy")) => {
            check.at(
                rule.place,
                "this rule does not belong to an Application Load Balancer",
                "use an Application Load Balancer: other types do not count requests per target group",
            );
            None
        }
        _ => {
            check.at(
                rule.place,
                "this is not the ARN of a rule or listener",
                format!("write `…:listener-rule/app/…` or `…:listener/app/…`; {SHOW}"),
            );
            None
        }
    }
}

fn route(test: &TestSection, check: &mut Checker<'_>) -> Option<TestRule> {
    let mut headers = test.header.value.iter();
    let (Some((name, value)), None) = (headers.next(), headers.next()) else {
        check.key(
            "header",
            test.header.place,
            format!("a test rule has exactly one header, not {}", test.header.value.len()),
            "write one, as in `header: { X-Cutover: next }`",
        );
        return None;
    };
    if http::HeaderName::try_from(name.as_str()).is_err()
        || http::HeaderValue::try_from(value.as_str()).is_err()
    {
        check.at(
            test.header.place,
            format!("`{name}: {value}` is not a valid header"),
            "use letters, digits and hyphens, as in `header: { X-Cutover: next }`",
        );
    }
    let url = test.url.as_ref().map(|url| {
        let valid = http::Uri::try_from(url.value.as_str())
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
        if !valid {
            check.at(
                url.place,
                format!("`{}` is not an HTTP URL", url.value),
                "write it with the scheme, as in `https://www.example.com`",
            );
        }
        url.value.trim_end_matches('/').to_owned()
    });
    Some(TestRule { header: (name.clone(), value.clone()), url })
}
