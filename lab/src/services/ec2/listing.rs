//! What all of EC2's `Describe…` operations have in common: identifiers, filters, pages.

use std::collections::BTreeMap;

use super::State;
use super::errors::{Kind, invalid_value};
use super::tags;
use crate::services::paging::page;
use crate::services::pattern::like;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// A resource that can be listed.
pub(super) trait Listed {
    /// What it is.
    const KIND: Kind;
    /// The member of the request that names some by identifier.
    const IDS: &'static str;
    /// The member of the answer that holds them.
    const SET: &'static str;
    /// The filters that it has, tags apart.
    const FILTERS: &'static [&'static str];

    /// Its values of a filter, tags apart.
    fn field(&self, id: &str, name: &str, world: &World) -> Vec<String>;

    /// As an answer shows it.
    fn write(&self, id: &str, world: &World) -> Value;
}

/// The operation that lists `all`.
pub(super) fn describe<R: Listed>(
    world: &World,
    input: &Value,
    all: &BTreeMap<String, R>,
) -> ApiResult<Value> {
    let found = select(world, input, all)?;
    let found = found.into_iter().map(|(id, one)| one.write(id, world)).collect();
    let (items, next) = cut(input, found)?;
    Ok(map([(R::SET, items.into()), ("nextToken", next.into())]))
}

/// Those that a request asks for.
pub(super) fn select<'a, R: Listed>(
    world: &World,
    input: &Value,
    all: &'a BTreeMap<String, R>,
) -> ApiResult<Vec<(&'a String, &'a R)>> {
    let ids = input.strings(R::IDS);
    if let Some(missing) = ids.iter().find(|id| !all.contains_key(*id)) {
        return Err(R::KIND.missing(missing));
    }
    let filters = Filters::read(input, R::FILTERS)?;
    Ok(all
        .iter()
        .filter(|(id, _)| ids.is_empty() || ids.contains(id))
        .filter(|(id, one)| filters.pass(&world.ec2, id, |name| one.field(id, name, world)))
        .collect())
}

/// The page that `MaxResults` and `NextToken` ask for: all where neither is given.
pub(super) fn cut<T>(input: &Value, items: Vec<T>) -> ApiResult<(Vec<T>, Option<String>)> {
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

/// The `Filter` list of a request: all have to pass, each by any of its values, in which `*` and `?`
/// stand for more.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads them; one that is neither in `known` nor about tags is refused.
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

    /// Whether the resource `id` passes; `field` gives its values of the filters that aren't about tags.
    pub(super) fn pass(
        &self,
        state: &State,
        id: &str,
        field: impl Fn(&str) -> Vec<String>,
    ) -> bool {
        self.0.iter().all(|(name, wanted)| {
            let has = match name.strip_prefix("tag:") {
                Some(key) => {
                    tags::of(state, id).and_then(|t| t.get(key)).cloned().into_iter().collect()
                }
                None if name == "tag-key" => {
                    tags::of(state, id).into_iter().flat_map(|t| t.keys().cloned()).collect()
                }
                None => field(name),
            };
            has.iter().any(|is| wanted.iter().any(|pattern| like(pattern, is)))
        })
    }
}
