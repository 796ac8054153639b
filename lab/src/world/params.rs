//! Every guess about AWS's undocumented timing, by name. What a source tells is cited; what none
//! tells says so.

use std::time::Duration;

/// Delays that the real services have and do not promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// StartInstanceRefresh to InProgress: about 10 s in one recorded run.
    pub refresh_pending: Duration,
    /// The same for a group of zero instances, which goes straight to Successful: about 5 s, recorded.
    pub refresh_empty: Duration,
    /// How often Auto Scaling looks at a refresh's instances. A guess.
    pub refresh_tick: Duration,
    /// InService to EC2's status checks having passed, before which a refresh doesn't count on an
    /// instance: 70 and 79 s from InService to the old instance's end in one recorded run.
    pub status_checks: Duration,
    /// How long a refresh may go without progress before it fails: one hour, by the user guide.
    pub refresh_stall: Duration,
    /// RollbackInProgress to its details being visible: seconds, in one recorded run.
    pub rollback_details: Duration,
    /// How often a group checks its instances' health. A guess.
    pub health_check: Duration,
    /// Desired capacity raised to the launch starting: about 10 s, recorded.
    pub scale_delay: Duration,
    /// Launch to InService without hooks: about 5 s, recorded.
    pub launch: Duration,
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
    /// How long a simulated visitor stays, as far as cookies bind visitors to a target group: on
    /// average, a guess.
    pub visit: Duration,
    /// How late a scheduled action may run: the user guide says up to two minutes.
    pub scheduled_late: Duration,
    /// The lower bound of a request's or a reply's way through the in-process door.
    pub latency_min: Duration,
    /// The upper bound of the same.
    pub latency_max: Duration,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            refresh_pending: Duration::from_secs(10),
            refresh_empty: Duration::from_secs(5),
            refresh_tick: Duration::from_secs(5),
            status_checks: Duration::from_secs(65),
            refresh_stall: Duration::from_secs(3600),
            rollback_details: Duration::from_secs(3),
            health_check: Duration::from_secs(10),
            scale_delay: Duration::from_secs(10),
            launch: Duration::from_secs(5),
            terminate: Duration::from_secs(20),
            first_check: Duration::from_secs(6),
            provision: Duration::from_secs(130),
            interfaces_linger: Duration::from_secs(30),
            weights_min: Duration::from_secs(1),
            weights_max: Duration::from_secs(20),
            metrics_delay: Duration::from_secs(60),
            visit: Duration::from_secs(600),
            scheduled_late: Duration::from_secs(120),
            latency_min: Duration::from_millis(10),
            latency_max: Duration::from_millis(150),
        }
    }
}
