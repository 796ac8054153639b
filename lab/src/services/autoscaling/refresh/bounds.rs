//! The healthy bounds of a refresh: how few instances may be available, and how many may exist.

/// The bounds, in instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The fewest instances that stay available.
    pub(super) floor: usize,
    /// The most instances that may be launching or in service.
    pub(super) ceiling: usize,
}

impl Bounds {
    /// Converts percentages into the bounds of a group with a DesiredCapacity of `desired`. The minimum is
    /// rounded up (user guide), the maximum as `Params::max_healthy_rounds_up` says.
    ///
    /// If they leave no room at all, one instance at a time is replaced anyway: with an explicit maximum it
    /// is launched before the old one is terminated, without one both happen together (user guide).
    pub(super) fn of(desired: usize, min: u64, max: Option<u64>, max_rounds_up: bool) -> Bounds {
        let share = |percent: u64| desired as u64 * percent;
        let floor = share(min).div_ceil(100) as usize;
        let most = share(max.unwrap_or(100));
        let ceiling = if max_rounds_up { most.div_ceil(100) } else { most / 100 } as usize;
        match (floor < ceiling, max) {
            (true, _) => Bounds { floor, ceiling },
            (false, Some(_)) => Bounds { floor, ceiling: desired + 1 },
            (false, None) => Bounds { floor: desired.saturating_sub(1), ceiling },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_is_rounded_up_and_max_down() {
        let of = |desired, min, max| {
            let bounds = Bounds::of(desired, min, max, false);
            (bounds.floor, bounds.ceiling)
        };
        assert_eq!(of(10, 90, None), (9, 10), "10% at a time");
        assert_eq!(of(4, 90, None), (3, 4), "no room: terminate and launch together");
        assert_eq!(of(4, 100, None), (3, 4), "one at a time");
        assert_eq!(
            of(1, 90, None),
            (0, 1),
            "the only instance leaves before its replacement is in service"
        );
        assert_eq!(of(1, 100, Some(100)), (1, 2), "an explicit maximum launches first");
        assert_eq!(of(1, 100, Some(150)), (1, 2), "150% of 1 is 1");
        assert_eq!(of(4, 100, Some(150)), (4, 6));
        assert_eq!(of(3, 50, Some(150)), (2, 4));
        assert_eq!(of(4, 0, None), (0, 4), "all at once");
        assert_eq!(Bounds::of(3, 100, Some(150), true), Bounds { floor: 3, ceiling: 5 });
    }
}
