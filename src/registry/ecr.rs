//! What is particular about Amazon ECR's registries.

use crate::model::Repository;

/// The parts of ECR's host names, `<account>.dkr.ecr.<region>.amazonaws.com` (user guide).
pub(super) struct Ecr<'a> {
    pub account: &'a str,
    pub region: &'a str,
}

impl<'a> Ecr<'a> {
    /// Of the repository's registry; `None` where that is another one.
    pub(super) fn of(repository: &'a Repository) -> Option<Ecr<'a>> {
        let mut parts = repository.registry().split('.');
        let account = parts.next()?;
        let (dkr, ecr, region) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ecr =
            dkr == "dkr" && matches!(ecr, "ecr" | "ecr-fips") && parts.next()? == "amazonaws";
        (is_ecr && account.bytes().all(|b| b.is_ascii_digit())).then_some(Ecr { account, region })
    }

    /// The repository's ARN, for policies.
    pub(super) fn arn(&self, repository: &Repository) -> String {
        let partition = match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let Ecr { account, region } = self;
        format!("arn:{partition}:ecr:{region}:{account}:repository/{}", repository.path())
    }
}
