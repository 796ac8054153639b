//! What a new account has in a Region.

use super::network::add_default_vpc;
use super::state::State;
use super::{ami, zone};

impl State {
    /// Creates the state of a new account: a Region with its zones, Amazon's AMIs and the default VPC.
    pub fn of_region(region: &str) -> State {
        let mut state = State {
            zones: zone::of_region(region).into_iter().collect(),
            amis: ami::public(),
            ..State::default()
        };
        add_default_vpc(&mut state);
        state
    }
}
