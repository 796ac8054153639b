//! Identifiers in AWS's formats, from a counter passed through a fixed mixing function: unique, and the
//! same in every run with the same requests.

/// Generates identifiers.
#[derive(Debug, Clone)]
pub struct Ids {
    state: u64,
}

impl Ids {
    /// Creates a generator from a seed.
    pub fn new(seed: u64) -> Ids {
        Ids { state: seed ^ 0x9e37_79b9_7f4a_7c15 }
    }

    /// Returns `prefix-` and 17 hexadecimal digits, the format of EC2's resource IDs (`i-0abc…`).
    pub fn ec2(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.bits())
    }

    /// Returns 16 hexadecimal digits, as in the ARN of a load balancer or target group.
    pub fn hex16(&mut self) -> String {
        format!("{:016x}", self.bits())
    }

    /// Returns a version 4 UUID, as Auto Scaling and request IDs use.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// Returns the next 64 bits, by SplitMix64.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
