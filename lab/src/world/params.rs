//! Every guess about what AWS doesn't document, by name. What a source tells is cited; what none
//! tells says so.

use std::time::Duration;

use crate::faults::Rates;

/// What the real services have and do not promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// StartInstanceRefresh to InProgress: about 10 s in one recorded run.
    pub refresh_pending: Duration,
    /// The same for a group of zero instances, which goes straight to Successful: about 5 s, recorded.
    pub refresh_empty: Duration,
    /// AttachLoadBalancerTargetGroups, or traffic sources, to the state Added, and what is detached to its
    /// leaving the list once nothing of it drains. Undocumented: a guess.
    pub attachment: Duration,
    /// How often Auto Scaling looks at a refresh's instances. A guess.
    pub refresh_tick: Duration,
    /// InService to EC2's status checks having passed, before which a refresh doesn't count on an
    /// instance: 70 and 79 s from InService to the old instance's end in one recorded run.
    pub status_checks: Duration,
    /// How long a refresh may go without progress before it fails: one hour, by the user guide.
    pub refresh_stall: Duration,
    /// Whether the time in which replacements warm up counts as time without progress. Undocumented: a
    /// guess.
    pub stall_has_warmup: bool,
    /// Whether the wait at a checkpoint does. Undocumented: a guess.
    pub stall_has_checkpoints: bool,
    /// Whether the bake time does. Undocumented: a guess.
    pub stall_has_bake: bool,
    /// Whether MaxHealthyPercentage of the desired capacity is rounded up. Down, by a community report
    /// (150 % of 1 is 1); the minimum is rounded up by the user guide.
    pub max_healthy_rounds_up: bool,
    /// What a replacement in service adds to PercentageComplete, in per cent of an instance, before it is
    /// available: as in one recorded run of one instance; the formula is unknown.
    pub percent_in_service: usize,
    /// The same of one that is available, before the old one goes.
    pub percent_available: usize,
    /// What one in service takes off on the way back, as recorded once.
    pub percent_in_service_back: usize,
    /// How long it may take altogether: 14 days, by the user guide.
    pub refresh_limit: Duration,
    /// RollbackInProgress to its details being visible: seconds, in one recorded run.
    pub rollback_details: Duration,
    /// How often a group checks its instances' health. A guess.
    pub health_check: Duration,
    /// Desired capacity raised to the launch starting: about 10 s, recorded.
    pub scale_delay: Duration,
    /// Launch to InService without hooks: about 5 s, recorded.
    pub launch: Duration,
    /// A failed launch in every zone to the next try; it doubles with each failure in a row. A guess:
    /// the user guide only says that Auto Scaling tries less and less often.
    pub launch_retry: Duration,
    /// The longest of those waits. A guess.
    pub launch_retry_most: Duration,
    /// How long a zone that had no capacity is passed over while another has. A guess.
    pub zone_shunned: Duration,
    /// A zone's loss to EC2's status checks failing for its instances: they run every minute (user
    /// guide); the first two that fail, a guess.
    pub impaired: Duration,
    /// The most instances of an account. AWS counts virtual CPUs, and each account has its own limit: a
    /// guess.
    pub instance_quota: usize,
    /// The most instances that one RunInstances may ask for. A guess: the real bound is the account's quota.
    pub launch_most: i64,
    /// Pending:Proceed to InService. A guess.
    pub proceed: Duration,
    /// How often an instance that leaves its target groups is looked at. A guess.
    pub drain_look: Duration,
    /// The least time between two scale-ins of a target tracking policy, for the metric to follow. A
    /// guess: AWS only says that it takes capacity away gradually.
    pub scale_in_pause: Duration,
    /// `CPUUtilization` in per cent of an instance without requests. A guess.
    pub cpu_idle: f64,
    /// Requests a second that make an instance wholly busy whose program bears any number. A guess.
    pub cpu_full: f64,
    /// Terminating (after deregistration) to gone: 20 to 42 s in one recorded run.
    pub terminate: Duration,
    /// RegisterTargets to the first passed check of a target that answers: about 6 s, recorded.
    pub first_check: Duration,
    /// CreateLoadBalancer to active: about 130 s in one recorded run.
    pub provision: Duration,
    /// DeleteLoadBalancer to its network interfaces being gone, until when subnets and security groups
    /// can't be deleted. Undocumented: a guess.
    pub interfaces_linger: Duration,
    /// The lower bound of a load-balancer node learning new weights. Undocumented: a guess.
    pub weights_min: Duration,
    /// The upper bound of the same.
    pub weights_max: Duration,
    /// The end of a CloudWatch minute to its data being readable: between 1 and 61 s in one recorded
    /// query (04:47:01 had 04:45 but not 04:46); the late end of that.
    pub metrics_delay: Duration,
    /// Periods beyond those that an alarm evaluates in which it looks for data when some are missing. The
    /// user guide's examples have two; how many it really takes is not told.
    pub alarm_beyond: i64,
    /// How long a simulated visitor stays, as far as cookies bind visitors to a target group: on
    /// average, a guess.
    pub visit: Duration,
    /// How long a visitor pauses between two requests, on average: a cookie that lasts less lets go of
    /// those who pause longer. A guess.
    pub visit_pause: Duration,
    /// The longest that an answer of an instance with too many requests takes: 10 s, a guess.
    pub strain_slowest: Duration,
    /// How soon after one update of a parameter another is refused as TooManyUpdates. That the service
    /// refuses concurrent ones is documented, how near is not; never, unless a test says otherwise.
    pub parameter_update: Duration,
    /// How late a scheduled action may run: the user guide says up to two minutes.
    pub scheduled_late: Duration,
    /// How often ECR carries out a lifecycle policy: the user guide says within 24 hours; a guess.
    pub lifecycle_run: Duration,
    /// StartLifecyclePolicyPreview to its results. A guess.
    pub lifecycle_preview: Duration,
    /// How long a basic scan of an image takes. A guess.
    pub scan_basic: Duration,
    /// A push to the first results of an enhanced scan. A guess.
    pub scan_enhanced: Duration,
    /// How long ECR's redirects to a layer's bytes are good for: an hour, a guess.
    pub ecr_redirect: Duration,
    /// How long GHCR's are: a guess.
    pub ghcr_redirect: Duration,
    /// How long GHCR's bearer tokens live. A guess: its token endpoint names no end.
    pub ghcr_token: Duration,
    /// The lower bound of a request's or a reply's way through the in-process door.
    pub latency_min: Duration,
    /// The upper bound of the same.
    pub latency_max: Duration,
    /// How many calls AWS takes, where a scenario wants its rates to hold.
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
            stall_has_warmup: true,
            stall_has_checkpoints: false,
            stall_has_bake: false,
            max_healthy_rounds_up: false,
            percent_in_service: 25,
            percent_available: 50,
            percent_in_service_back: 50,
            refresh_limit: Duration::from_secs(14 * 86_400),
            rollback_details: Duration::from_secs(3),
            health_check: Duration::from_secs(10),
            scale_delay: Duration::from_secs(10),
            launch: Duration::from_secs(5),
            launch_retry: Duration::from_secs(60),
            launch_retry_most: Duration::from_secs(15 * 60),
            zone_shunned: Duration::from_secs(5 * 60),
            impaired: Duration::from_secs(60),
            instance_quota: 1000,
            launch_most: 100,
            proceed: Duration::from_secs(1),
            drain_look: Duration::from_secs(5),
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
            alarm_beyond: 2,
            visit: Duration::from_secs(600),
            visit_pause: Duration::from_secs(10),
            strain_slowest: Duration::from_secs(10),
            parameter_update: Duration::ZERO,
            scheduled_late: Duration::from_secs(120),
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
