//! Where simulated and real users end up.

use bytes::Bytes;
use http::Request;

use super::{Tally, answer};
use crate::services::ec2;
use crate::services::elbv2::fixture::{Fixture, world};

fn tally(f: &Fixture, version: &str) -> Tally {
    f.world.traffic.totals().get(version).copied().unwrap_or_default()
}

#[test]
fn traffic_follows_the_weights() {
    let mut f = world().settled(50.0);
    f.wait(60);
    assert!((2700..3300).contains(&tally(&f, "v1").served), "{:?}", f.world.traffic.totals());
    assert_eq!(tally(&f, "v2"), Tally::default());
    f.weigh(75, 25);
    f.wait(30);
    let before = (tally(&f, "v1").served, tally(&f, "v2").served);
    f.wait(600);
    let (v1, v2) = (tally(&f, "v1").served - before.0, tally(&f, "v2").served - before.1);
    let share = v2 as f64 / (v1 + v2) as f64;
    assert!((0.23..0.27).contains(&share), "{share}");
    assert_eq!(tally(&f, "none"), Tally::default(), "nobody was refused");
}

#[test]
fn an_empty_group_keeps_its_share_and_loses_it() {
    let mut f = world().settled(50.0);
    f.weigh(50, 50);
    f.wait(30);
    let green = f.green.clone();
    for id in ["i-3", "i-4"] {
        crate::services::elbv2::deregister(&mut f.world, &green, id);
    }
    f.wait(60);
    let refused = tally(&f, "none").failed;
    assert!((1300..1700).contains(&refused), "no failover between groups: {refused}");
}

#[test]
fn all_unhealthy_fails_open() {
    let mut f = world().settled(50.0);
    for id in ["i-1", "i-2"] {
        f.world.ec2.instances.get_mut(id).unwrap().program.healthy = false;
    }
    f.wait(60);
    assert_eq!(tally(&f, "none").failed, 0, "unhealthy, but they still answer");
    for id in ["i-1", "i-2"] {
        f.world.ec2.instances.get_mut(id).unwrap().answers_from = None;
    }
    f.wait(60);
    assert!((2700..3300).contains(&tally(&f, "none").failed), "502 from targets that don't answer");
    let minute = f.world.traffic.minutes().values().next_back().unwrap();
    assert!(minute.groups.values().any(|g| g.connection_errors > 0));
}

#[test]
fn one_dead_target_among_healthy_ones_is_noticed_after_two_checks() {
    let mut f = world().settled(50.0);
    f.wait(60);
    ec2::terminate(&mut f.world, "i-1");
    f.wait(60);
    let lost = tally(&f, "none").failed;
    assert!((1..600).contains(&lost), "half of the requests until the next check: {lost}");
    f.wait(60);
    assert_eq!(tally(&f, "none").failed, lost);
}

#[test]
fn the_same_seed_is_the_same_traffic() {
    let run = || {
        let mut f = world().settled(50.0);
        f.weigh(50, 50);
        f.wait(300);
        (f.world.traffic.totals().clone(), f.world.traffic.minutes().clone())
    };
    assert_eq!(run(), run());
}

#[test]
fn real_requests_meet_the_same_rules() {
    let mut f = world().settled(0.0);
    let get = |f: &mut Fixture, path: &str| {
        answer(&mut f.world, &Request::get(path).body(Bytes::new()).unwrap())
    };
    let response = get(&mut f, "/version");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-lab-version"], "v1");
    let told: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(told["version"], "v1");
    assert!(["i-1", "i-2"].contains(&told["instance"].as_str().unwrap()));
    f.weigh(0, 100);
    f.wait(20);
    assert_eq!(get(&mut f, "/healthz").headers()["x-lab-version"], "v2");
    assert_eq!(get(&mut f, "/missing").status(), 404);
    f.world.ec2.instances.get_mut("i-3").unwrap().program.error_rate = 1.0;
    f.world.ec2.instances.get_mut("i-4").unwrap().program.error_rate = 1.0;
    assert_eq!(get(&mut f, "/").status(), 500);
    assert_eq!(tally(&f, "v2"), Tally { served: 2, failed: 1 });
}
