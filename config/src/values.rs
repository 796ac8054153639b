//! Parsers for durations, shares and ARNs.

use std::time::Duration;

use jiff::SignedDuration;

/// Parses a duration, as in `5m`, `90s` or `1h30m`; `None` if it is invalid or negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// Parses a percentage, as in `1%` or `0.5%`, into a share of 1; `None` if it is invalid.
pub(super) fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.trim_end().parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// The parts of an ARN that are needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits `arn:partition:service:region:account:resource`.
    pub(super) fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let (arn, partition) = (next()?, next()?);
        let (service, region, account, resource) = (next()?, next()?, next()?, next()?);
        (arn == "arn" && partition.starts_with("aws") && is_account(account)).then_some(Arn {
            service,
            region,
            account,
            resource,
        })
    }
}

/// Returns the account of a role ARN; `None` if `text` is not one.
pub(super) fn account_of_role(text: &str) -> Option<&str> {
    let arn = Arn::parse(text)?;
    (arn.service == "iam" && arn.resource.starts_with("role/")).then_some(arn.account)
}

/// The message for a `text` that is not a role ARN.
pub(super) fn no_role(text: &str) -> String {
    format!("`{text}` is not the ARN of a role; write the complete ARN, as in `{A_ROLE}`")
}

/// An example of a role ARN.
pub(super) const A_ROLE: &str = "arn:aws:iam::123456789012:role/deploy-web";

/// The message for a role in another account.
pub(super) fn role_elsewhere(role: &str, account: &str) -> String {
    format!("the role is in account {role}, but `account` is {account}")
}

/// Checks a service name.
///
/// # Errors
/// The reason why it is invalid.
pub fn check_service_name(text: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=40).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("`{text}` is not a valid service name; {A_SERVICE}"))
}

/// The hint for an invalid service name.
pub(super) const A_SERVICE: &str =
    "use 1 to 40 lowercase letters, digits and hyphens: the name becomes part of names in AWS";

/// Returns true if `text` is an account id: twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Returns true if `text` has the form of a Region code, as in `eu-west-1` or `us-gov-east-1`.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [area @ .., number] if area.len() >= 2 => {
            area[0].len() == 2
                && area.iter().all(word)
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("5 minutes"), Some(Duration::from_secs(300)));
        assert_eq!(duration("300"), None);
        assert_eq!(duration("-5m"), None);
        assert_eq!(duration("soon"), None);
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(share("1%"), Some(0.01));
        assert_eq!(share("0.5 %"), Some(0.005));
        assert_eq!(share("0.01"), None);
        assert_eq!(share("101%"), None);
    }

    #[test]
    fn an_arn_has_six_parts() {
        let arn = Arn::parse("arn:aws-cn:ec2:cn-north-1:123456789012:vpc/a:b").unwrap();
        assert_eq!((arn.service, arn.region, arn.account), ("ec2", "cn-north-1", "123456789012"));
        assert_eq!(arn.resource, "vpc/a:b");
        for wrong in [
            "urn:aws:ec2::123456789012:vpc/a",
            "arn:gcp:ec2::123456789012:vpc/a",
            "arn:aws:ec2::12345:vpc/a",
            "arn:aws:ec2:123456789012:vpc/a",
        ] {
            assert_eq!(Arn::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_role_is_a_role_of_iam() {
        assert_eq!(account_of_role(A_ROLE), Some("123456789012"));
        assert_eq!(account_of_role("arn:aws:iam::123456789012:user/deploy-web"), None);
        assert_eq!(account_of_role("arn:aws:sts::123456789012:role/deploy-web"), None);
    }

    #[test]
    fn a_service_name_has_1_to_40_plain_characters() {
        assert_eq!(check_service_name("web-2"), Ok(()));
        assert_eq!(check_service_name(&"a".repeat(40)), Ok(()));
        for wrong in ["", "Web", "we_b", "café", &"a".repeat(41)] {
            assert!(check_service_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn regions_have_their_form() {
        assert!(is_region("ap-northeast-2") && is_region("us-gov-west-1"));
        for wrong in [
            "Seoul",
            "ap-northeast",
            "ap-northeast-2a",
            "ap-northeast-",
            "ap--2",
            "apn-north-1",
            "ap-n1-2",
        ] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }
}
