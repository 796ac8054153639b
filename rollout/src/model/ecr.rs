//! Recognizes Amazon ECR registries by their host names.

use super::Repository;

/// A private ECR registry, parsed from its host: `<account>.dkr.ecr.<region>.amazonaws.com`,
/// `….dkr.ecr-fips.…`, `….amazonaws.com.cn` in China, and `<account>.dkr-ecr.<region>.on.aws` for IPv6
/// (user guide, "Making requests to Amazon ECR registries").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcrRegistry<'a> {
    /// The account id: twelve digits.
    pub account: &'a str,
    /// The Region.
    pub region: &'a str,
}

impl EcrRegistry<'_> {
    /// Returns the ARN of a repository in this registry, for policies.
    pub fn arn(&self, path: &str) -> String {
        let partition = match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:ecr:{}:{}:repository/{path}", self.region, self.account)
    }
}

impl Repository {
    /// Returns the ECR registry of this repository; `None` if it is in another registry.
    pub fn ecr(&self) -> Option<EcrRegistry<'_>> {
        let (account, rest) = self.registry().split_once('.')?;
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let suffix_of = |prefixes: [&str; 2]| {
            let named = prefixes.iter().find_map(|prefix| rest.strip_prefix(prefix))?;
            named.split_once('.')
        };
        let found = match suffix_of(["dkr.ecr.", "dkr.ecr-fips."]) {
            Some((region, "amazonaws.com" | "amazonaws.com.cn")) => Some(region),
            _ => match suffix_of(["dkr-ecr.", "dkr-ecr-fips."]) {
                Some((region, "on.aws" | "on.amazonwebservices.com.cn")) => Some(region),
                _ => None,
            },
        };
        found
            .filter(|region| digits && !region.is_empty())
            .map(|region| EcrRegistry { account, region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(host: &str) -> Option<(String, String)> {
        let repository: Repository = format!("{host}/web").parse().unwrap();
        repository.ecr().map(|ecr| (ecr.account.to_owned(), ecr.region.to_owned()))
    }

    #[test]
    fn all_names_of_ecrs_hosts_and_nothing_else() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("123456789012.dkr-ecr.us-west-2.on.aws", "us-west-2"),
            ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "us-west-2"),
        ] {
            let expected = Some(("123456789012".to_owned(), region.to_owned()));
            assert_eq!(read(host), expected, "{host}");
        }
        for host in [
            "ghcr.io",
            "public.ecr.aws",
            "12345.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000",
            "evil.example:443",
        ] {
            assert_eq!(read(host), None, "{host}");
        }
    }

    #[test]
    fn arns_name_the_partition() {
        let arn = |host: &str| {
            let repository: Repository = format!("{host}/team/web").parse().unwrap();
            repository.ecr().unwrap().arn(repository.path())
        };
        for (host, expected) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "aws:ecr:eu-west-1"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "aws-cn:ecr:cn-north-1"),
            ("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com", "aws-us-gov:ecr:us-gov-west-1"),
        ] {
            assert_eq!(arn(host), format!("arn:{expected}:123456789012:repository/team/web"));
        }
    }
}
