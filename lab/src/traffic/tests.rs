//! Tests of where simulated and real requests end up.

use bytes::Bytes;
use http::{Request, Response};

use super::{Burst, Demand, answer, set_demand};
use crate::services::ec2;
use crate::services::elbv2::fixture::{Fixture, world};
use crate::services::elbv2::{Action, ActionKind, Condition, RuleSpec, create_rule};
use crate::traffic::state::Tally;

fn tally(f: &Fixture, version: &str) -> Tally {
    f.world.traffic.totals().get(version).copied().unwrap_or_default()
}

fn get(f: &mut Fixture, path: &str, cookie: Option<&str>) -> Response<Bytes> {
    let request = Request::get(path).header("cookie", cookie.unwrap_or_default());
    answer(&mut f.world, &request.body(Bytes::new()).unwrap())
}

#[test]
fn traffic_follows_the_weights() {
    let mut f = world().settled(50.0);
    f.wait(60);
    assert!((2700..3300).contains(&tally(&f, "v1").served), "{:?}", f.world.traffic.totals());
    assert_eq!(tally(&f, "v2"), Tally::default());
    f.set_weights(75, 25);
    f.wait(30);
    let before = (tally(&f, "v1").served, tally(&f, "v2").served);
    f.wait(600);
    let (v1, v2) = (tally(&f, "v1").served - before.0, tally(&f, "v2").served - before.1);
    let share = v2 as f64 / (v1 + v2) as f64;
    assert!((0.23..0.27).contains(&share), "{share}");
    assert_eq!(tally(&f, "none"), Tally::default(), "no request was refused");
}

#[test]
fn requests_to_an_empty_group_fail() {
    let mut f = world().settled(50.0);
    f.set_weights(50, 50);
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
        f.world.ec2.instances.get_mut(id).unwrap().responds_from = None;
    }
    f.wait(60);
    assert!(
        (2700..3300).contains(&tally(&f, "none").failed),
        "502 from targets that do not answer"
    );
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
fn a_lost_zone_takes_its_node_and_its_targets() {
    let mut f = world().settled(50.0);
    for name in ["z-a", "z-c"] {
        let zone = ec2::Zone { id: name.to_owned(), alive: true };
        f.world.ec2.zones.insert(name.to_owned(), zone);
    }
    ec2::set_zone_lost(&mut f.world, "z-a", true);
    f.wait(30);
    let lost = tally(&f, "none").failed;
    assert!(lost > 0, "until it notices, the other node sends half of its requests there");
    f.wait(60);
    assert_eq!(tally(&f, "none").failed, lost);
    ec2::set_zone_lost(&mut f.world, "z-c", true);
    let served = tally(&f, "v1").served;
    f.wait(60);
    assert_eq!(tally(&f, "v1").served, served);
    assert!(tally(&f, "none").failed > lost + 2500, "without a zone, no request is served");
}

#[test]
fn the_same_seed_is_the_same_traffic() {
    let run = || {
        let mut f = world().settled(50.0);
        f.set_weights(50, 50);
        f.wait(300);
        (f.world.traffic.totals().clone(), f.world.traffic.minutes().clone())
    };
    assert_eq!(run(), run());
}

#[test]
fn real_requests_meet_the_same_rules() {
    let mut f = world().settled(0.0);
    let response = get(&mut f, "/version", None);
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-lab-version"], "v1");
    let reported: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(reported["version"], "v1");
    assert!(["i-1", "i-2"].contains(&reported["instance"].as_str().unwrap()));
    f.set_weights(0, 100);
    f.wait(20);
    assert_eq!(get(&mut f, "/healthz", None).headers()["x-lab-version"], "v2");
    assert_eq!(get(&mut f, "/missing", None).status(), 404);
    f.world.ec2.instances.get_mut("i-3").unwrap().program.error_rate = 1.0;
    f.world.ec2.instances.get_mut("i-4").unwrap().program.error_rate = 1.0;
    assert_eq!(get(&mut f, "/", None).status(), 500);
    assert_eq!(tally(&f, "v2"), Tally { served: 2, failed: 1 });
}

#[test]
fn a_header_routes_to_the_idle_group() {
    let mut f = world().settled(10.0);
    let header =
        Condition::Header { name: "X-Cutover".to_owned(), values: vec!["next".to_owned()] };
    let spec = RuleSpec {
        listener: f.listener.clone(),
        priority: 1,
        conditions: vec![header],
        actions: vec![Action::forward(&f.green)],
        suffix: None,
    };
    create_rule(&mut f.world, spec).unwrap();
    f.wait(30);
    let request = Request::get("/version").header("x-cutover", "Next").body(Bytes::new()).unwrap();
    assert_eq!(answer(&mut f.world, &request).headers()["x-lab-version"], "v2");
    assert_eq!(get(&mut f, "/version", None).headers()["x-lab-version"], "v1");
    assert_eq!(tally(&f, "v2").served, 1, "ordinary users have no such header");
}

#[test]
fn a_cookie_binds_visitors_whatever_the_weights() {
    let mut f = world().settled(50.0);
    let bind = |f: &mut Fixture, blue: u32, green: u32| {
        let rule = f.world.elbv2.rules.get_mut(&f.rule).unwrap();
        let groups = [(f.blue.clone(), blue), (f.green.clone(), green)];
        let mut action = Action::weighted(groups);
        if let ActionKind::Forward(forward) = &mut action.kind {
            forward.stickiness = Some((true, Some(3600)));
        }
        rule.actions = vec![action];
        let balancer = f.balancer.clone();
        crate::services::elbv2::activate(&mut f.world, &balancer);
    };
    bind(&mut f, 100, 0);
    f.wait(60);
    let old = get(&mut f, "/version", None);
    let cookie = old.headers()["set-cookie"].to_str().unwrap().to_owned();
    bind(&mut f, 0, 100);
    let before = tally(&f, "v1").served;
    f.wait(60);
    let kept = tally(&f, "v1").served - before;
    assert!(kept > 2500, "a minute after weight 0, nearly every visitor is still there: {kept}");
    assert_eq!(get(&mut f, "/", Some(&cookie)).headers()["x-lab-version"], "v1");
    assert_eq!(get(&mut f, "/", None).headers()["x-lab-version"], "v2");
    let empty = get(&mut f, "/", Some("AWSALBTG="));
    assert_eq!(empty.headers()["x-lab-version"], "v2", "an empty cookie binds to nothing");
    f.wait(3600);
    let before = tally(&f, "v1").served;
    f.wait(60);
    assert!(tally(&f, "v1").served - before < 50, "an hour later they have left");
}

#[test]
fn a_burst_fails_requests_if_capacity_is_limited() {
    let burst = Burst { at: 60, factor: 100.0, within: 5, lasts: 60 };
    let demand = |capacity| Demand { bursts: vec![burst], capacity, daily: None };
    let mut ends = [None, Some(100.0)].map(|capacity| {
        let mut f = world().settled(10.0);
        f.world.began = f.world.now;
        set_demand(&mut f.world, demand(capacity));
        let start = f.world.now;
        f.wait(60);
        let calm = tally(&f, "v1");
        f.wait(60);
        let slowest = f.world.traffic.minutes().range(start..).filter_map(|(_, minute)| {
            minute.groups.values().filter_map(|group| group.latency.keys().max()).max().copied()
        });
        let slowest = slowest.max().unwrap();
        let busy = tally(&f, "v1");
        (calm, busy.served - calm.served, busy.failed, slowest)
    });
    ends.sort_by_key(|(_, served, ..)| *served);
    let [(calm, strained, failed, slowest), (_, served, none, fast)] = ends;
    assert!(calm.failed == 0 && (500..700).contains(&calm.served), "{calm:?}");
    assert!((50_000..70_000).contains(&served) && none == 0, "{served} {none}");
    // Two instances can handle 200 of 1,000 requests per second.
    assert!((10_000..15_000).contains(&strained) && failed > 40_000, "{strained} {failed}");
    assert_eq!((slowest, fast), (10_000, 20));
}

#[test]
fn the_share_of_a_deleted_group_is_refused() {
    let mut f = world().settled(50.0);
    f.set_weights(50, 50);
    f.wait(30);
    let blue = f.blue.clone();
    f.world.elbv2.target_groups.remove(&blue);
    f.wait(60);
    let refused = tally(&f, "none").failed;
    assert!((1300..1700).contains(&refused), "{refused}");
    let answers = (0..40).map(|_| get(&mut f, "/", None).status().as_u16());
    let failed = answers.filter(|status| *status == 503).count();
    assert!((5..35).contains(&failed), "{failed}");
}

#[test]
fn nginx_answers_its_pages_and_fails_a_health_check_of_any_other() {
    let mut f = world().settled(0.0);
    let health = |f: &Fixture, path: &str| {
        super::health(&f.world, &f.world.ec2.instances["i-1"].program, path)
    };
    for id in ["i-1", "i-2"] {
        let registry = &f.world.registry;
        let script = "dnf install -y nginx\nsystemctl enable --now nginx\n";
        let program = super::program::Program::from_user_data(script, registry);
        f.world.ec2.instances.get_mut(id).unwrap().program = program;
    }
    assert_eq!((health(&f, "/"), health(&f, "/health")), (200, 404));
    let page = get(&mut f, "/", None);
    assert_eq!(
        (page.status().as_u16(), &page.headers()["x-lab-version"]),
        (200, &"nginx".parse().unwrap())
    );
    assert_eq!(get(&mut f, "/version", None).status(), 404);
}
