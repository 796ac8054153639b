//! The common parts of EC2's `Describe…` operations: ids, filters and pages.

use std::collections::BTreeMap;

use super::errors::{ResourceKind, invalid_value};
use super::state::State;
use crate::services::paging::page;
use crate::services::pattern::matches;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// A resource that can be listed.
pub(super) trait Describable {
    /// The kind of resource.
    const KIND: ResourceKind;
    /// The member of a request that lists ids.
    const IDS: &'static str;
    /// The member of a response that holds the resources.
    const SET: &'static str;
    /// The supported filters, except those on tags.
    const FILTERS: &'static [&'static str];

    /// Returns its values for a filter that isn't on tags.
    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String>;

    /// Formats it for a response.
    fn write(&self, id: &str, world: &World) -> Value;
}

/// Handles the `Describe…` operation on `all`.
pub(super) fn describe<R: Describable>(
    world: &World,
    input: &Value,
    all: &BTreeMap<String, R>,
) -> ApiResult<Value> {
    let found = select(world, input, all)?;
    let found = found.into_iter().map(|(id, one)| one.write(id, world)).collect();
    let (items, next) = paginate(input, found)?;
    Ok(map([(R::SET, items.into()), ("nextToken", next.into())]))
}

/// Returns the resources that match a request's ids and filters.
pub(super) fn select<'a, R: Describable>(
    world: &World,
    input: &Value,
    all: &'a BTreeMap<String, R>,
) -> ApiResult<Vec<(&'a String, &'a R)>> {
    let ids = input.strings(R::IDS);
    if let Some(missing) = ids.iter().find(|id| !all.contains_key(*id)) {
        return Err(R::KIND.not_found(missing));
    }
    let filters = Filters::read(input, R::FILTERS)?;
    Ok(all
        .iter()
        .filter(|(id, _)| ids.is_empty() || ids.contains(id))
        .filter(|(id, one)| {
            filters.matches(&world.ec2, id, |name| one.filter_values(id, name, world))
        })
        .collect())
}

/// Returns the page that `MaxResults` and `NextToken` request; without them, everything.
pub(super) fn paginate<T>(input: &Value, items: Vec<T>) -> ApiResult<(Vec<T>, Option<String>)> {
    let size = match input.int("MaxResults") {
        None => usize::MAX,
        Some(size @ 5..=1000) => size as usize,
        Some(size) => {
            return Err(invalid_value(format!(
                "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
            )));
        }
    };
    page(items, input.str("NextToken"), size, "InvalidNextToken")
}

/// The `Filter` list of a request. A resource must match every filter, each by any of its values, which may
/// contain `*` and `?`.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads the filters of a request. A filter that is neither in `known` nor on tags is refused.
    pub(super) fn read(input: &Value, known: &[&str]) -> ApiResult<Filters> {
        let mut filters = Vec::new();
        for filter in input.list("Filter") {
            let Some(name) = filter.str("Name") else {
                return Err(ApiError::sender(
                    "InvalidParameterValue",
                    "The filter 'null' is invalid",
                ));
            };
            let about_tags = name.starts_with("tag:") || name == "tag-key";
            if !about_tags && !known.contains(&name) {
                return Err(invalid_value(format!("The filter '{name}' is invalid")));
            }
            filters.push((name.to_owned(), filter.strings("Value")));
        }
        Ok(Filters(filters))
    }

    /// Returns whether the resource `id` matches; `field` returns its values for filters that aren't on tags.
    pub(super) fn matches(
        &self,
        state: &State,
        id: &str,
        field: impl Fn(&str) -> Vec<String>,
    ) -> bool {
        self.0.iter().all(|(name, wanted)| {
            let has = match name.strip_prefix("tag:") {
                Some(key) => {
                    state.tags_of(id).and_then(|t| t.get(key)).cloned().into_iter().collect()
                }
                None if name == "tag-key" => {
                    state.tags_of(id).into_iter().flat_map(|t| t.keys().cloned()).collect()
                }
                None => field(name),
            };
            has.iter().any(|is| wanted.iter().any(|pattern| matches(pattern, is)))
        })
    }
}
