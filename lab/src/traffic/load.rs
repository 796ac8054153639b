//! The effect of overload on an instance. The curve is a guess (`Params::overload_latency_max` and the shape
//! below): that of a single queue, with an upper bound, since nobody waits forever.

use super::program::Program;
use crate::world::{Params, World};

/// Returns the requests per second that an instance can handle, if anything limits them.
pub fn capacity(world: &World, program: &Program) -> Option<f64> {
    program.capacity.or(world.traffic.demand.capacity).filter(|capacity| *capacity > 0.0)
}

/// Returns the load of an instance: its requests per second relative to its capacity; 0 if that is
/// unlimited.
pub(super) fn load_of(world: &World, program: &Program, requests_per_second: f64) -> f64 {
    capacity(world, program).map_or(0.0, |capacity| requests_per_second / capacity)
}

/// Returns whether anything limits the capacity of instances.
pub(super) fn is_possible(world: &World) -> bool {
    world.traffic.demand.capacity.is_some()
        || world.ec2.instances.values().any(|instance| instance.program.capacity.is_some())
}

/// Returns the share of requests that fail: the program's own, and all beyond its capacity.
pub(super) fn error_rate(program: &Program, strain: f64) -> f64 {
    let served = if strain > 1.0 { 1.0 / strain } else { 1.0 };
    1.0 - (1.0 - program.error_rate) * served
}

/// Returns the response time in milliseconds: it doubles at half of the capacity, and grows up to a
/// bound.
pub(super) fn latency_ms(params: &Params, program: &Program, strain: f64) -> u64 {
    if strain <= 0.0 {
        return program.latency_ms;
    }
    let slowest = params.overload_latency_max.as_millis() as f64;
    let own = program.latency_ms as f64;
    let queued = if strain < 1.0 { own / (1.0 - strain) } else { slowest };
    // Rounded to a tenth: CloudWatch's percentiles need no more.
    let exact = queued.min(slowest.max(own));
    let step = (exact / 10.0).max(1.0);
    ((exact / step).round() * step) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_program_is_slow_and_an_overloaded_one_fails() {
        let (params, program) = (Params::default(), Program::default());
        let both = |strain| {
            let failing = (error_rate(&program, strain) * 100.0).round();
            (failing, latency_ms(&params, &program, strain))
        };
        assert_eq!(both(0.0), (0.0, 20));
        assert_eq!(both(0.5), (0.0, 40));
        assert_eq!(both(0.9), (0.0, 200));
        assert_eq!(both(4.0), (75.0, 10_000));
    }
}
