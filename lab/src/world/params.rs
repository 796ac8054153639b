//! The guesses about what AWS does not document that can be set, by name. Values that are documented or recorded cite
//! their source; the others are marked as guesses.

use std::time::Duration;

use crate::faults::throttling::Rates;

/// What the real services do, but do not promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Time from StartInstanceRefresh to InProgress: about 10 s in one recorded run.
    pub refresh_pending: Duration,
    /// The same for a group without instances, whose refresh goes straight to Successful: about 5 s,
    /// recorded.
    pub refresh_empty: Duration,
    /// Time from AttachLoadBalancerTargetGroups or AttachTrafficSources to the state Added, and from the
    /// end of draining until what was detached leaves the list. Undocumented: a guess.
    pub attachment: Duration,
    /// How often Auto Scaling checks a refresh's instances. A guess.
    pub refresh_tick: Duration,
    /// Time from InService until EC2's status checks have passed; a refresh does not count an instance
    /// before that. One recorded run had 70 and 79 s from InService to the end of the old instance.
    pub status_checks: Duration,
    /// How long a refresh may go without progress before it fails: one hour, by the user guide.
    pub refresh_stall: Duration,
    /// Whether the warmup of replacements counts as time without progress. Undocumented: a guess.
    pub stall_counts_warmup: bool,
    /// Whether the wait at a checkpoint counts as time without progress. Undocumented: a guess.
    pub stall_counts_checkpoints: bool,
    /// Whether the bake time counts as time without progress. Undocumented: a guess.
    pub stall_counts_bake: bool,
    /// Whether MaxHealthyPercentage of the desired capacity is rounded up. It is rounded down by a
    /// community report (150% of 1 is 1); MinHealthyPercentage is rounded up by the user guide.
    pub max_healthy_rounds_up: bool,
    /// What a replacement adds to PercentageComplete once it is InService and not yet available, in
    /// percent of an instance: as in one recorded run with one instance. The formula is unknown.
    pub percent_in_service: usize,
    /// What a replacement adds once it is available, until the old instance is gone.
    pub percent_available: usize,
    /// What an InService replacement subtracts during a rollback, as recorded once.
    pub percent_in_service_rollback: usize,
    /// How long a refresh may take in total: 14 days, by the user guide.
    pub refresh_limit: Duration,
    /// Time from RollbackInProgress until its details are visible: seconds, in one recorded run.
    pub rollback_details: Duration,
    /// How often a group checks its instances' health. A guess.
    pub health_check: Duration,
    /// Time from a higher desired capacity to the start of the launch: about 10 s, recorded.
    pub scale_delay: Duration,
    /// Time from launch to InService without lifecycle hooks: about 5 s, recorded.
    pub launch: Duration,
    /// Time from a launch that failed in every zone to the next attempt; it doubles with each failure in
    /// a row. A guess: the user guide only says that Auto Scaling tries less and less often.
    pub launch_retry: Duration,
    /// The maximum of that doubling time. A guess.
    pub launch_retry_max: Duration,
    /// How long a zone without capacity is skipped while another zone has some. A guess.
    pub zone_without_capacity: Duration,
    /// Time from the loss of a zone until EC2's status checks fail for its instances. They run every
    /// minute (user guide); that the first two fail is a guess.
    pub status_check_failure: Duration,
    /// The maximum number of instances in the account. AWS counts vCPUs, and each account has its own
    /// quota: a guess.
    pub instance_quota: usize,
    /// The maximum number of instances per RunInstances call. A guess: the real limit is the account's
    /// quota.
    pub run_instances_max: i64,
    /// Time from Pending:Proceed to InService. A guess.
    pub proceed: Duration,
    /// How often an instance that is being deregistered is checked. A guess.
    pub drain_poll: Duration,
    /// The minimum time between two scale-ins by a target tracking policy, so that the metric can
    /// follow. A guess: AWS only says that it removes capacity gradually.
    pub scale_in_pause: Duration,
    /// `CPUUtilization` of an instance without requests, in percent. A guess.
    pub cpu_idle: f64,
    /// Requests per second at which the CPU of an instance is at 100%, if its program's capacity is
    /// unlimited. A guess.
    pub cpu_full: f64,
    /// Time from Terminating (after deregistration) until the instance is gone: 20 to 42 s in one
    /// recorded run.
    pub terminate: Duration,
    /// Time from RegisterTargets to the first passed health check of a target that responds: about 6 s,
    /// recorded.
    pub first_check: Duration,
    /// Time from CreateLoadBalancer to active: about 130 s in one recorded run.
    pub provision: Duration,
    /// Time from DeleteLoadBalancer until its network interfaces are gone; until then its subnets and
    /// security groups cannot be deleted. Undocumented: a guess.
    pub interfaces_linger: Duration,
    /// The minimum time until a load balancer node uses new weights. Undocumented: a guess.
    pub weights_min: Duration,
    /// The maximum time until a load balancer node uses new weights. Undocumented: a guess.
    pub weights_max: Duration,
    /// Time from the end of a minute until CloudWatch returns its data: between 1 and 61 s in one
    /// recorded query (04:47:01 had 04:45 but not 04:46). This is the late end of that range.
    pub metrics_delay: Duration,
    /// How many periods beyond the evaluated ones an alarm reads when data is missing. The user guide's
    /// examples have two; the real number is undocumented.
    pub alarm_extra_periods: i64,
    /// How long a simulated visitor stays on average, where cookies bind visitors to a target group. A
    /// guess.
    pub visit: Duration,
    /// How long a visitor pauses between two requests on average: a cookie with a shorter lifetime does
    /// not bind visitors who pause longer. A guess.
    pub visit_pause: Duration,
    /// The maximum response time of an overloaded instance: 10 s, a guess.
    pub overload_latency_max: Duration,
    /// How soon after one update of a parameter the next is refused with TooManyUpdates. It is
    /// documented that concurrent updates are refused, but not how close they may be; zero, so never,
    /// unless a test sets it.
    pub parameter_update_interval: Duration,
    /// How late a scheduled action may run: up to two minutes, by the user guide.
    pub scheduled_action_delay: Duration,
    /// How often ECR applies a lifecycle policy: within 24 hours, by the user guide; the value is a
    /// guess.
    pub lifecycle_run: Duration,
    /// Time from StartLifecyclePolicyPreview to its results. A guess.
    pub lifecycle_preview: Duration,
    /// How long a basic image scan takes. A guess.
    pub scan_basic: Duration,
    /// Time from a push to the first results of an enhanced scan. A guess.
    pub scan_enhanced: Duration,
    /// How long ECR's redirects to a layer's bytes stay valid: an hour, a guess.
    pub ecr_redirect: Duration,
    /// How long GHCR's redirects stay valid. A guess.
    pub ghcr_redirect: Duration,
    /// How long GHCR's bearer tokens stay valid. A guess: its token endpoint returns no expiry.
    pub ghcr_token: Duration,
    /// The minimum time that a request or a response takes through the in-process transport.
    pub latency_min: Duration,
    /// The maximum time that a request or a response takes through the in-process transport.
    pub latency_max: Duration,
    /// The request rates that AWS allows; they apply where a scenario turns throttling on.
    pub rates: Rates,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            refresh_pending: Duration::from_secs(10),
            refresh_empty: Duration::from_secs(5),
            attachment: Duration::from_secs(5),
            refresh_tick: Duration::from_secs(5),
            status_checks: Duration::from_secs(65),
            refresh_stall: Duration::from_secs(3600),
            stall_counts_warmup: true,
            stall_counts_checkpoints: false,
            stall_counts_bake: false,
            max_healthy_rounds_up: false,
            percent_in_service: 25,
            percent_available: 50,
            percent_in_service_rollback: 50,
            refresh_limit: Duration::from_secs(14 * 86_400),
            rollback_details: Duration::from_secs(3),
            health_check: Duration::from_secs(10),
            scale_delay: Duration::from_secs(10),
            launch: Duration::from_secs(5),
            launch_retry: Duration::from_secs(60),
            launch_retry_max: Duration::from_secs(15 * 60),
            zone_without_capacity: Duration::from_secs(5 * 60),
            status_check_failure: Duration::from_secs(60),
            instance_quota: 1000,
            run_instances_max: 100,
            proceed: Duration::from_secs(1),
            drain_poll: Duration::from_secs(5),
            scale_in_pause: Duration::from_secs(5 * 60),
            cpu_idle: 2.0,
            cpu_full: 100.0,
            terminate: Duration::from_secs(20),
            first_check: Duration::from_secs(6),
            provision: Duration::from_secs(130),
            interfaces_linger: Duration::from_secs(30),
            weights_min: Duration::from_secs(1),
            weights_max: Duration::from_secs(20),
            metrics_delay: Duration::from_secs(60),
            alarm_extra_periods: 2,
            visit: Duration::from_secs(600),
            visit_pause: Duration::from_secs(10),
            overload_latency_max: Duration::from_secs(10),
            parameter_update_interval: Duration::ZERO,
            scheduled_action_delay: Duration::from_secs(120),
            lifecycle_run: Duration::from_secs(12 * 3600),
            lifecycle_preview: Duration::from_secs(10),
            scan_basic: Duration::from_secs(30),
            scan_enhanced: Duration::from_secs(60),
            ecr_redirect: Duration::from_secs(3600),
            ghcr_redirect: Duration::from_secs(600),
            ghcr_token: Duration::from_secs(300),
            latency_min: Duration::from_millis(10),
            latency_max: Duration::from_millis(150),
            rates: Rates::default(),
        }
    }
}
