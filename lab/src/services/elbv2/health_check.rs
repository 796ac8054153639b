//! Health check settings of target groups.

use std::time::Duration;

use super::errors::validation;
use crate::wire::{ApiError, ApiResult, Value};

/// The health check of a target group, with the API's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path of the request.
    pub path: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// The time between two checks: 5 to 300 seconds.
    pub interval: Duration,
    /// How long to wait for a response: 2 to 120 seconds, less than the interval.
    pub timeout: Duration,
    /// How many consecutive passed checks make an unhealthy target healthy: 2 to 10.
    pub healthy: u32,
    /// How many consecutive failed checks make a target unhealthy: 2 to 10.
    pub unhealthy: u32,
    /// The HTTP statuses that pass, such as `200` or `200-299,302`.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            path: "/".to_owned(),
            protocol: "HTTP".to_owned(),
            port: "traffic-port".to_owned(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy: 5,
            unhealthy: 2,
            matcher: "200".to_owned(),
        }
    }
}

impl HealthCheck {
    /// Returns whether a response with this HTTP status passes.
    pub fn accepts(&self, status: u16) -> bool {
        self.matcher.split(',').any(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let bound = |s: &str| s.trim().parse::<u16>().ok();
            bound(low).zip(bound(high)).is_some_and(|(l, h)| (l..=h).contains(&status))
        })
    }

    /// Returns the settings with those of a request applied. Errors: InvalidConfigurationRequest.
    pub(super) fn with(mut self, input: &Value) -> ApiResult<HealthCheck> {
        if input.bool("HealthCheckEnabled") == Some(false) {
            return Err(ApiError::sender(
                "InvalidConfigurationRequest",
                "Health check enabled must be true for target groups with target type 'instance'",
            ));
        }
        let text = |key: &str, is: &mut String| {
            if let Some(text) = input.str(key) {
                text.clone_into(is);
            }
        };
        let seconds = |key: &str, is: &mut Duration| {
            if let Some(n) = input.int(key) {
                *is = Duration::from_secs(u64::try_from(n).unwrap_or(0));
            }
        };
        let count = |key: &str, is: &mut u32| {
            if let Some(n) = input.int(key) {
                *is = u32::try_from(n).unwrap_or(0);
            }
        };
        text("HealthCheckPath", &mut self.path);
        text("HealthCheckProtocol", &mut self.protocol);
        text("HealthCheckPort", &mut self.port);
        seconds("HealthCheckIntervalSeconds", &mut self.interval);
        seconds("HealthCheckTimeoutSeconds", &mut self.timeout);
        count("HealthyThresholdCount", &mut self.healthy);
        count("UnhealthyThresholdCount", &mut self.unhealthy);
        if let Some(matcher) = input.get("Matcher").str("HttpCode") {
            matcher.clone_into(&mut self.matcher);
        }
        Ok(self)
    }

    /// Checks that every setting is in its range (API model); otherwise ValidationError.
    pub(super) fn check(&self) -> ApiResult<()> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(validation(format!("{name} '{value}' must be between {low} and {high}")))
        };
        within("Health check interval", self.interval.as_secs(), 5, 300)?;
        within("Health check timeout", self.timeout.as_secs(), 2, 120)?;
        within("Healthy threshold count", self.healthy.into(), 2, 10)?;
        within("Unhealthy threshold count", self.unhealthy.into(), 2, 10)?;
        if self.timeout >= self.interval {
            return Err(validation("Health check timeout must be less than the interval"));
        }
        if !matches!(self.protocol.as_str(), "HTTP" | "HTTPS") {
            return Err(validation(format!(
                "Health check protocol '{}' must be one of '[HTTP, HTTPS]'",
                self.protocol
            )));
        }
        let path = self.path.chars();
        if !self.path.starts_with('/')
            || path.clone().count() > 1024
            || path.clone().any(char::is_whitespace)
        {
            return Err(validation(format!("Health check path '{}' is not valid", self.path)));
        }
        let port_is_good =
            self.port == "traffic-port" || self.port.parse::<u16>().is_ok_and(|p| p > 0);
        if !port_is_good {
            return Err(validation(format!("Health check port '{}' is not valid", self.port)));
        }
        let good = |part: &str| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let code = |s: &str| s.trim().parse::<u16>().ok().filter(|c| (200..=499).contains(c));
            code(low).zip(code(high)).is_some_and(|(low, high)| low <= high)
        };
        if !self.matcher.split(',').all(good) {
            return Err(validation(format!(
                "Health check matcher HTTP code '{}' must be within '200-499' inclusive",
                self.matcher
            )));
        }
        Ok(())
    }
}
