//! Systems Manager Parameter Store. `PutParameter` without `Overwrite` creates only if absent, which makes it
//! a lock. SecureString values are stored as they are, and returned scrambled without `WithDecryption`: the
//! lab encrypts nothing.

mod current;
mod delete;
mod errors;
mod filters;
mod labels;
mod name;
mod put;
mod read;
pub(crate) mod state;
mod tags;
#[cfg(test)]
mod tests;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;
use delete::{delete, delete_several};

pub use current::{current_value, leftovers};
pub use state::State;

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "PutParameter" => put::put(world, call),
        "GetParameter" => read::get(world, input),
        "GetParameters" => read::get_several(world, input),
        "GetParametersByPath" => read::get_by_path(world, input),
        "GetParameterHistory" => read::history(world, input),
        "DescribeParameters" => read::describe(world, input),
        "LabelParameterVersion" => labels::label(world, input),
        "UnlabelParameterVersion" => labels::unlabel(world, input),
        "AddTagsToResource" => tags::add(world, input),
        "RemoveTagsFromResource" => tags::remove(world, input),
        "ListTagsForResource" => tags::list(world, input),
        "DeleteParameter" => delete(world, input),
        "DeleteParameters" => delete_several(world, input),
        _ => Err(call.unknown_operation()),
    }
}
