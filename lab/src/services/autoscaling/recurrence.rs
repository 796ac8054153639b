//! The recurrence of a scheduled action: a cron expression in a time zone.

use cronexpr::{Crontab, MakeTimestamp, parse_crontab};
use jiff::Timestamp;

use super::errors::invalid;
use crate::wire::ApiResult;

/// A cron expression of five fields, and its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// The expression, as put.
    pub text: String,
    /// The IANA name of the time zone; none means UTC.
    pub zone: Option<String>,
}

impl Recurrence {
    /// Validates an expression and a time zone.
    pub(super) fn read(text: &str, zone: Option<&str>) -> ApiResult<Recurrence> {
        let recurrence = Recurrence { text: text.to_owned(), zone: zone.map(str::to_owned) };
        if zone.is_some_and(|zone| jiff::tz::TimeZone::get(zone).is_err()) {
            return Err(invalid(format!("Invalid TimeZone: {}", zone.unwrap_or_default())));
        }
        match recurrence.crontab() {
            Some(_) => Ok(recurrence),
            None => Err(invalid(format!("Given recurrence string: {text} is invalid"))),
        }
    }

    /// Returns the first time after `at` at which it is due; none if never.
    pub(super) fn after(&self, at: Timestamp) -> Option<Timestamp> {
        Some(self.crontab()?.find_next(MakeTimestamp(at)).ok()?.timestamp())
    }

    /// Parses the expression; the library takes the zone as a sixth field.
    fn crontab(&self) -> Option<Crontab> {
        if self.text.split_whitespace().count() != 5 {
            return None;
        }
        let text = format!("{} {}", self.text, self.zone.as_deref().unwrap_or("UTC"));
        parse_crontab(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_in_its_zone() {
        let at: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let next = |text: &str, zone: Option<&str>| {
            Recurrence::read(text, zone).unwrap().after(at).map(|at| at.to_string())
        };
        assert_eq!(next("30 9 * * *", None).as_deref(), Some("2026-01-05T09:30:00Z"));
        assert_eq!(next("30 9 * * *", Some("Asia/Seoul")).as_deref(), Some("2026-01-06T00:30:00Z"));
        assert_eq!(next("0 0 1 * *", None).as_deref(), Some("2026-02-01T00:00:00Z"));
        assert_eq!(next("0 9 * * MON-FRI", None).as_deref(), Some("2026-01-06T09:00:00Z"), "after");
    }

    #[test]
    fn invalid_cron_expressions_are_refused() {
        for text in ["", "* * * *", "60 * * * *", "0 0 * * * *", "every day"] {
            assert!(Recurrence::read(text, None).is_err(), "{text}");
        }
        assert!(Recurrence::read("0 9 * * *", Some("Mars/Olympus")).is_err());
    }
}
