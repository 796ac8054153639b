//! An account's quotas (user guide, "Amazon ECR service quotas"). A scenario may lower them.

/// The quotas that the lab enforces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// The most repositories in a Region.
    pub repositories: usize,
    /// The most images in a repository.
    pub images: usize,
    /// The most tags on an image.
    pub tags_per_image: usize,
    /// The smallest part of a layer except its last, in bytes.
    pub part_min: usize,
    /// The largest part of a layer, in bytes.
    pub part_max: usize,
    /// The most parts of a layer.
    pub parts: usize,
    /// The most rules in a lifecycle policy.
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
