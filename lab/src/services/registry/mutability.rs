//! Tag mutability: whether a tag may move to another image.

use super::wildcard;

/// A repository's tag mutability (ECR API model, `ImageTagMutability`). Filters are patterns with `*`; a tag
/// that matches one of them is an exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum TagMutability {
    /// Every tag may move.
    #[default]
    Mutable,
    /// No tag may move.
    Immutable,
    /// Every tag may move, except those that match a filter.
    MutableExcept(Vec<String>),
    /// No tag may move, except those that match a filter.
    ImmutableExcept(Vec<String>),
}

impl TagMutability {
    /// Returns whether this tag may move to another image.
    pub(crate) fn allows_move(&self, tag: &str) -> bool {
        let excepted =
            |filters: &[String]| filters.iter().any(|f| wildcard::matches_wildcard(f, tag));
        match self {
            TagMutability::Mutable => true,
            TagMutability::Immutable => false,
            TagMutability::MutableExcept(filters) => !excepted(filters),
            TagMutability::ImmutableExcept(filters) => excepted(filters),
        }
    }

    /// Returns its name in the API.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            TagMutability::Mutable => "MUTABLE",
            TagMutability::Immutable => "IMMUTABLE",
            TagMutability::MutableExcept(_) => "MUTABLE_WITH_EXCLUSION",
            TagMutability::ImmutableExcept(_) => "IMMUTABLE_WITH_EXCLUSION",
        }
    }

    /// Returns the exclusion filters, which are empty for the variants without exceptions.
    pub(crate) fn filters(&self) -> &[String] {
        match self {
            TagMutability::Mutable | TagMutability::Immutable => &[],
            TagMutability::MutableExcept(filters) | TagMutability::ImmutableExcept(filters) => {
                filters
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TagMutability;

    #[test]
    fn exclusion_filters_invert_the_rule() {
        let filters = || vec!["dev-*".to_owned(), "latest".to_owned()];
        let (mutable, immutable) =
            (TagMutability::MutableExcept(filters()), TagMutability::ImmutableExcept(filters()));
        for (tag, excepted) in
            [("dev-7", true), ("latest", true), ("latest2", false), ("v1", false)]
        {
            assert_eq!(
                (mutable.allows_move(tag), immutable.allows_move(tag)),
                (!excepted, excepted)
            );
        }
    }
}
