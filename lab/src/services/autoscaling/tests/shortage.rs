//! Zones without capacity, lost zones, and their recovery.

use crate::services::autoscaling::fixture::Lab;
use crate::services::autoscaling::{ActivityStatus, LifecycleState};
use crate::services::ec2;
use crate::wire::{Value, map};
use crate::world::later;

const A: &str = "ap-northeast-2a";
const C: &str = "ap-northeast-2c";

fn short(lab: &mut Lab, zone: &str, seconds: u64) {
    let until = later(lab.world.now, std::time::Duration::from_secs(seconds));
    lab.world.ec2.zones_without_capacity.insert(zone.to_owned(), until);
}

fn in_zone(lab: &Lab, zone: &str) -> usize {
    lab.group("news").live().filter(|(_, m)| m.zone == zone).count()
}

fn failed(lab: &Lab) -> Vec<&str> {
    let activities = lab.group("news").activities.iter();
    let failed = activities.filter(|a| a.status == ActivityStatus::Failed);
    failed.map(|a| a.message.as_deref().unwrap_or_default()).collect()
}

fn desired(lab: &mut Lab, n: i64) {
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", n.into())]));
}

#[test]
fn a_zone_without_capacity_is_reported_and_the_other_used() {
    let mut lab = Lab::one_group(&[]);
    short(&mut lab, A, 3600);
    desired(&mut lab, 6);
    lab.wait(20);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (2, 4));
    assert_eq!(
        failed(&lab),
        [
            "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (ap-northeast-2a). Our system will be working on provisioning additional capacity. You can currently get t3.micro capacity by not specifying an Availability Zone in your request or choosing ap-northeast-2c. Launching EC2 instance failed."
        ],
        "once: the zone is then skipped for a while"
    );
}

#[test]
fn without_capacity_anywhere_launches_are_tried_less_and_less_often() {
    let mut lab = Lab::one_group(&[]);
    short(&mut lab, A, 1800);
    short(&mut lab, C, 1800);
    desired(&mut lab, 5);
    lab.wait(1800);
    let tries = failed(&lab).len();
    assert!((8..=14).contains(&tries), "{tries}: two zones at 0, 1, 3, 7, 15 minutes");
    assert_eq!(lab.in_service("news", 1), 4);
    lab.wait(1000);
    assert_eq!(lab.in_service("news", 1), 5);
    assert_eq!(lab.group("news").backoff.failures, 0);
}

#[test]
fn zones_are_balanced_again_once_there_is_capacity() {
    let mut lab = Lab::one_group(&[]);
    short(&mut lab, A, 300);
    desired(&mut lab, 6);
    lab.wait(60);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (2, 4));
    let (fewest, most) = lab.extremes("news", 600);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (3, 3));
    assert_eq!((fewest, most), (6, 7), "launched before terminating, one above the maximum");
    let causes = lab.group("news").activities.iter().map(|a| a.cause.as_str());
    let causes: Vec<_> = causes.filter(|c| c.contains("aid in balancing")).collect();
    assert_eq!(causes.len(), 1);
    assert!(causes[0].contains("zones ap-northeast-2a ap-northeast-2c had 2 4 instances"));
}

#[test]
fn without_its_process_nothing_is_balanced() {
    let mut lab = Lab::one_group(&[]);
    let process = map([("ScalingProcesses", Value::List(vec!["AZRebalance".into()]))]);
    lab.ok("SuspendProcesses", "news", process);
    short(&mut lab, A, 60);
    desired(&mut lab, 6);
    lab.wait(3600);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (2, 4));
}

#[test]
fn a_lost_zone_comes_back() {
    let mut lab = Lab::one_group(&[]);
    ec2::set_zone_lost(&mut lab.world, A, true);
    lab.wait(600);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (0, 4));
    let failures = failed(&lab).len();
    assert!(failures > 0, "rebalancing was attempted, and the zone had no capacity");
    ec2::set_zone_lost(&mut lab.world, A, false);
    lab.wait(900);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (2, 2));
}

#[test]
fn by_ec2_alone_a_lost_zone_is_noticed_later_and_after_the_grace_period() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("UpdateAutoScalingGroup", "news", map([("HealthCheckType", "EC2".into())]));
    ec2::set_zone_lost(&mut lab.world, A, true);
    lab.wait(55);
    assert_eq!(in_zone(&lab, A), 2);
    lab.wait(20);
    assert_eq!((in_zone(&lab, A), in_zone(&lab, C)), (0, 4));
    let cause = &lab.group("news").activities.iter().find(|a| a.description.starts_with("Term"));
    assert!(cause.unwrap().cause.contains("EC2 health check"), "{cause:?}");
}

#[test]
fn a_refresh_lives_through_a_shortage_or_fails_after_an_hour() {
    let mut lab = Lab::one_group(&[]);
    short(&mut lab, A, 600);
    short(&mut lab, C, 600);
    let bounds = map([
        ("MinHealthyPercentage", "100".into()),
        ("MaxHealthyPercentage", "150".into()),
        ("InstanceWarmup", "0".into()),
    ]);
    lab.start("news", bounds.clone());
    let (fewest, _) = lab.extremes("news", 600);
    assert_eq!(fewest, 4, "no old instance leaves before a new one is in service");
    lab.wait_for("news", crate::services::autoscaling::Status::Successful);

    let mut lab = Lab::one_group(&[]);
    short(&mut lab, A, 7200);
    short(&mut lab, C, 7200);
    lab.start("news", bounds);
    lab.wait(3800);
    assert_eq!(lab.refresh("news").status, crate::services::autoscaling::Status::Failed);
    let serving = lab.group("news").members.values();
    assert_eq!(serving.filter(|m| m.state == LifecycleState::InService).count(), 4);
}

#[test]
fn an_account_has_only_so_many_instances() {
    let mut lab = Lab::one_group(&[]);
    lab.world.params.instance_quota = 6;
    lab.ok("UpdateAutoScalingGroup", "news", map([("MaxSize", 2_000_000_000_i64.into())]));
    desired(&mut lab, 2_000_000_000);
    lab.wait(3600);
    assert_eq!(lab.in_service("news", 1), 6);
    assert!(failed(&lab)[0].contains("vCPU limit"));
}
