//! Whether a tag may move to another image.

use super::wildcard;

/// A repository's rule for its tags (ECR API model, `ImageTagMutability`). Filters are patterns with
/// `*`; a tag that fits one of them is an exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Mutability {
    /// Every tag may move.
    #[default]
    Mutable,
    /// No tag may.
    Immutable,
    /// Every tag may but those that fit.
    MutableExcept(Vec<String>),
    /// No tag may but those that fit.
    ImmutableExcept(Vec<String>),
}

impl Mutability {
    /// Whether this tag may move.
    pub(crate) fn lets_move(&self, tag: &str) -> bool {
        let excepted = |filters: &[String]| filters.iter().any(|f| wildcard::fits(f, tag));
        match self {
            Mutability::Mutable => true,
            Mutability::Immutable => false,
            Mutability::MutableExcept(filters) => !excepted(filters),
            Mutability::ImmutableExcept(filters) => excepted(filters),
        }
    }

    /// Its name in the API.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Mutability::Mutable => "MUTABLE",
            Mutability::Immutable => "IMMUTABLE",
            Mutability::MutableExcept(_) => "MUTABLE_WITH_EXCLUSION",
            Mutability::ImmutableExcept(_) => "IMMUTABLE_WITH_EXCLUSION",
        }
    }

    /// The exceptions; none where there can be none.
    pub(crate) fn filters(&self) -> &[String] {
        match self {
            Mutability::Mutable | Mutability::Immutable => &[],
            Mutability::MutableExcept(filters) | Mutability::ImmutableExcept(filters) => filters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mutability;

    #[test]
    fn exceptions_turn_the_rule_around() {
        let filters = || vec!["dev-*".to_owned(), "latest".to_owned()];
        let (mutable, immutable) =
            (Mutability::MutableExcept(filters()), Mutability::ImmutableExcept(filters()));
        for (tag, excepted) in
            [("dev-7", true), ("latest", true), ("latest2", false), ("v1", false)]
        {
            assert_eq!((mutable.lets_move(tag), immutable.lets_move(tag)), (!excepted, excepted));
        }
    }
}
