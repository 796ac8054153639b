//! A world for tests: the default scenario or the one-group one, with a second template version.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Group, LifecycleState, Refresh};
use crate::scenario::{ImageFiles, Scenario};
use crate::services::{autoscaling, ec2};
use crate::wire::{ApiError, Call, Principal, Service, Value, map};
use crate::world::{World, later};

pub(super) struct Lab {
    pub(super) world: World,
}

impl Lab {
    /// The one-group scenario: `news` with four instances of version 1. Version 2 has the given labels.
    pub(super) fn one_group(labels: &[(&str, &str)]) -> Lab {
        Lab::of(&Scenario::one_group(), labels)
    }

    pub(super) fn of(scenario: &Scenario, labels: &[(&str, &str)]) -> Lab {
        let start = "2026-01-05T09:00:00Z".parse().unwrap();
        let mut lab = Lab { world: World::from_scenario(scenario, 1, start).unwrap() };
        lab.new_version(labels);
        lab
    }

    /// Adds a template version with an image of these labels.
    pub(super) fn new_version(&mut self, labels: &[(&str, &str)]) {
        let mut image = ImageFiles::news_site();
        image.labels.insert("lab.version".to_owned(), "v2".to_owned());
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        image.labels.extend(labels.iter().map(own));
        let digest = image.store(&mut self.world.registry, "news", "v2").unwrap();
        let host = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";
        self.new_version_with(&STANDARD.encode(format!("docker run {host}/news@{digest}")));
    }

    /// Adds a template version with this user data, encoded.
    pub(super) fn new_version_with(&mut self, user_data: &str) {
        let input = map([
            ("LaunchTemplateName", "news".into()),
            ("SourceVersion", "1".into()),
            ("LaunchTemplateData", map([("UserData", user_data.into())])),
        ]);
        let call = call(Service::Ec2, "CreateLaunchTemplateVersion", input);
        ec2::call(&mut self.world, &call).unwrap();
    }

    pub(super) fn call(&mut self, operation: &str, input: Value) -> Result<Value, ApiError> {
        autoscaling::call(&mut self.world, &call(Service::Autoscaling, operation, input))
    }

    /// Calls an operation on the group `name` that must succeed.
    pub(super) fn ok(&mut self, operation: &str, name: &str, input: Value) -> Value {
        self.call(operation, input.with("AutoScalingGroupName", name)).unwrap()
    }

    /// Calls an operation that must fail, and returns code and message.
    pub(super) fn refused(
        &mut self,
        operation: &str,
        name: &str,
        input: Value,
    ) -> (String, String) {
        let error = self.call(operation, input.with("AutoScalingGroupName", name)).unwrap_err();
        (error.code, error.message)
    }

    /// Starts a refresh of `name` to version 2 with these preferences.
    pub(super) fn start(&mut self, name: &str, preferences: Value) {
        self.ok("StartInstanceRefresh", name, to_version("2", preferences));
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.world.advance(later(self.world.now, Duration::from_secs(seconds)));
    }

    pub(super) fn group(&self, name: &str) -> &Group {
        &self.world.autoscaling.groups[name]
    }

    pub(super) fn refresh(&self, name: &str) -> &Refresh {
        self.group(name).refreshes.last().unwrap()
    }

    /// Advances time until the refresh has this status; panics after two hours.
    pub(super) fn wait_for(&mut self, name: &str, status: autoscaling::Status) {
        for _ in 0..7200 {
            if self.refresh(name).status == status {
                return;
            }
            self.wait(1);
        }
        panic!("the refresh never reached {status:?}: {:?}", self.refresh(name));
    }

    /// Returns how many instances are in service at this version.
    pub(super) fn in_service(&self, name: &str, version: u64) -> usize {
        let members = self.group(name).members.values();
        members.filter(|m| m.state == LifecycleState::InService && m.template.2 == version).count()
    }

    /// Returns the fewest instances in service and the most live at once, over `seconds`.
    pub(super) fn extremes(&mut self, name: &str, seconds: u64) -> (usize, usize) {
        let (mut fewest, mut most) = (usize::MAX, 0);
        for _ in 0..seconds {
            self.wait(1);
            let members = self.group(name).members.values();
            let serving = members.filter(|m| m.state == LifecycleState::InService).count();
            fewest = fewest.min(serving);
            most = most.max(self.group(name).live().count());
        }
        (fewest, most)
    }
}

pub(super) fn to_version(version: &str, preferences: Value) -> Value {
    let template = map([("LaunchTemplateName", "news".into()), ("Version", version.into())]);
    map([
        ("DesiredConfiguration", map([("LaunchTemplate", template)])),
        ("Preferences", preferences),
    ])
}

fn call(service: Service, operation: &str, input: Value) -> Call {
    let account = "123456789012".to_owned();
    Call {
        service,
        operation: operation.to_owned(),
        input,
        caller: Principal { arn: format!("arn:aws:iam::{account}:root"), account },
        region: "ap-northeast-2".to_owned(),
    }
}
