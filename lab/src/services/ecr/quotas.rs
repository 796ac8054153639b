//! What an account may use (user guide, "Amazon ECR service quotas"). A scenario may lower them.

/// The quotas that can be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Repositories in a Region.
    pub repositories: usize,
    /// Images in a repository.
    pub images: usize,
    /// Tags on an image.
    pub tags_per_image: usize,
    /// The smallest part of a layer but for its last, in bytes.
    pub part_min: usize,
    /// The largest part of a layer, in bytes.
    pub part_max: usize,
    /// The parts of a layer.
    pub parts: usize,
    /// The rules of a lifecycle policy.
    pub lifecycle_rules: usize,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas {
            repositories: 100_000,
            images: 100_000,
            tags_per_image: 1_000,
            part_min: 5 << 20,
            part_max: 10 << 20,
            parts: 4_200,
            lifecycle_rules: 50,
        }
    }
}
