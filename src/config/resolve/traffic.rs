//! Rules and the test rule.

use super::Surroundings;
use super::checker::Checker;
use crate::config::at::At;
use crate::config::document::{Document, TestSection};
use crate::config::settings::{TestRoute, Traffic};
use crate::config::values::Arn;
use crate::model::RuleId;

const SHOW: &str = "`aws elbv2 describe-rules --listener-arn …` shows them";

pub(super) fn resolve(
    document: &Document,
    single: bool,
    surroundings: Surroundings<'_>,
    check: &mut Checker<'_>,
) -> Traffic {
    let Some(section) = &document.traffic else { return Traffic::default() };
    if single {
        check.useless("traffic", section.place, "remove it: with one group no traffic is moved");
        return Traffic::default();
    }
    let rules = section.value.rules.as_ref().map(|rules| {
        if rules.value.is_empty() {
            check.key(
                "rules",
                rules.place,
                "`rules` is empty, so no traffic could be moved",
                "name the rules, or leave it out for every rule that names the target groups",
            );
        }
        rules.value.iter().filter_map(|rule| rule_id(rule, surroundings, check)).collect()
    });
    let test = section.value.test.as_ref().and_then(|test| route(&test.value, check));
    Traffic { rules, test }
}

fn rule_id(
    rule: &At<String>,
    surroundings: Surroundings<'_>,
    check: &mut Checker<'_>,
) -> Option<RuleId> {
    let arn = Arn::parse(&rule.value).filter(|arn| arn.service == "elasticloadbalancing").or_else(
        || {
            check.at(rule.place, "this is no rule's ARN", format!("write it whole; {SHOW}"));
            None
        },
    )?;
    if let Some(region) = surroundings.region.filter(|region| arn.region != *region) {
        check.at(
            rule.place,
            format!("this rule is in {}, the service in {region}", arn.region),
            format!("name a rule of that Region; {SHOW}"),
        );
    } else if let Some(account) = surroundings.account.filter(|account| arn.account != *account) {
        check.at(
            rule.place,
            format!("this rule is in account {}, the service in {account}", arn.account),
            format!("name a rule of that account; {SHOW}"),
        );
    }
    let mut kinds = arn.resource.split('/');
    match (kinds.next(), kinds.next()) {
        (Some("listener-rule"), Some("app")) => Some(RuleId::Rule(rule.value.clone())),
        (Some("listener"), Some("app")) => Some(RuleId::ListenerDefault(rule.value.clone())),
        (Some("listener-rule" | "listener"), Some("net" | "gwy")) => {
            check.at(
                rule.place,
                "this rule belongs to no Application Load Balancer",
                "use an Application Load Balancer: others don't count requests a target group",
            );
            None
        }
        _ => {
            check.at(
                rule.place,
                "this is the ARN of neither a rule nor a listener",
                format!("write one of `…:listener-rule/app/…` or `…:listener/app/…`; {SHOW}"),
            );
            None
        }
    }
}

fn route(test: &TestSection, check: &mut Checker<'_>) -> Option<TestRoute> {
    let mut headers = test.header.value.iter();
    let (Some((name, value)), None) = (headers.next(), headers.next()) else {
        check.key(
            "header",
            test.header.place,
            format!("a test rule is told by one header, not {}", test.header.value.len()),
            "write one, as in `header: { X-Cutover: next }`",
        );
        return None;
    };
    if http::HeaderName::try_from(name.as_str()).is_err()
        || http::HeaderValue::try_from(value.as_str()).is_err()
    {
        check.at(
            test.header.place,
            format!("`{name}: {value}` cannot be a header"),
            "write letters, digits and hyphens, as in `header: { X-Cutover: next }`",
        );
    }
    let url = test.url.as_ref().map(|url| {
        let valid = http::Uri::try_from(url.value.as_str())
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
        if !valid {
            check.at(
                url.place,
                format!("`{}` is no HTTP address", url.value),
                "write it with its scheme, as in `https://www.example.com`",
            );
        }
        url.value.trim_end_matches('/').to_owned()
    });
    Some(TestRoute { header: (name.clone(), value.clone()), url })
}
