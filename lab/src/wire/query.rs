//! Parses the two query protocols: a form of flat names such as `Filters.member.1.Name` becomes a tree.
//! The ec2 protocol only leaves out `member`.

use std::borrow::Cow;

use super::value::MAX_DEPTH;
use crate::wire::error::{ApiError, ApiResult};
use crate::wire::value::Value;

/// Returns the operation and its input from an `application/x-www-form-urlencoded` body and the query
/// string (AWS accepts either). Every scalar is text.
pub(super) fn read(body: &[u8], address: &str) -> ApiResult<(String, Value)> {
    let mut root = Node::default();
    let mut operation = None;
    let pairs = form_urlencoded::parse(address.as_bytes()).chain(form_urlencoded::parse(body));
    for (name, value) in pairs {
        match name.as_ref() {
            "Action" => operation = Some(value.into_owned()),
            "Version" => {}
            _ => root.insert(&name, value.into_owned())?,
        }
    }
    match operation {
        Some(operation) => Ok((operation, Value::Map(root.members()))),
        None => Err(ApiError::sender(
            "MissingAction",
            "The request is missing an action or a required parameter",
        )),
    }
}

/// One segment of a flat name: a leaf, a list or a structure. Which of them is only known once all names
/// are read.
#[derive(Default)]
struct Node {
    text: Option<String>,
    children: Vec<(String, Node)>,
}

impl Node {
    /// Adds a value. Refuses a name with more segments than an input may have: everything after this
    /// recurses.
    fn insert(&mut self, path: &str, text: String) -> ApiResult<()> {
        if path.split('.').nth(MAX_DEPTH).is_some() {
            return Err(too_deep());
        }
        let mut node = self;
        for step in path.split('.') {
            let at = match node.children.iter().position(|(name, _)| name == step) {
                Some(at) => at,
                None => {
                    node.children.push((step.to_owned(), Node::default()));
                    node.children.len() - 1
                }
            };
            node = &mut node.children[at].1;
        }
        node.text = Some(text);
        Ok(())
    }

    fn members(self) -> Vec<(Cow<'static, str>, Value)> {
        self.children
            .into_iter()
            .map(|(name, node)| (Cow::Owned(name), node.into_value()))
            .collect()
    }

    fn into_value(mut self) -> Value {
        if self.children.is_empty() {
            return self.text.map_or(Value::Null, Value::Str);
        }
        // The query protocol's lists have a segment of their own: `Names.member.1`.
        if let [(name, inner)] = self.children.as_mut_slice()
            && name == "member"
            && inner.is_numbered()
        {
            return std::mem::take(inner).into_list();
        }
        if self.is_numbered() { self.into_list() } else { Value::Map(self.members()) }
    }

    fn is_numbered(&self) -> bool {
        !self.children.is_empty() && self.children.iter().all(|(n, _)| n.parse::<u32>().is_ok())
    }

    fn into_list(mut self) -> Value {
        self.children.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
        Value::List(self.children.into_iter().map(|(_, node)| node.into_value()).collect())
    }
}

/// Returns the error for a name with too many segments. AWS's common errors give it the status 404.
fn too_deep() -> ApiError {
    ApiError::sender(
        "MalformedQueryString",
        format!("A parameter name has more than {MAX_DEPTH} segments"),
    )
    .status(404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_lists_and_structures() {
        let body = b"Action=DescribeTags&Version=2011-01-01&Filters.member.2.Name=key\
            &Filters.member.1.Name=auto-scaling-group&Filters.member.1.Values.member.1=a%2Bb+c\
            &Preferences.MinHealthyPercentage=90";
        let (operation, input) = read(body, "").unwrap();
        assert_eq!(operation, "DescribeTags");
        let filters = input.list("Filters");
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].str("Name"), Some("auto-scaling-group"));
        assert_eq!(filters[0].strings("Values"), ["a+b c"]);
        assert_eq!(input.get("Preferences").int("MinHealthyPercentage"), Some(90));
    }

    #[test]
    fn ec2_lists_have_no_member_step_and_are_ordered_by_number() {
        let mut body = String::from("Action=X");
        for n in (1..=11).rev() {
            body.push_str(&format!("&LaunchTemplateVersion.{n}=v{n}"));
        }
        body.push_str("&LaunchTemplateData.TagSpecification.1.Tag.1.Key=k");
        let (_, input) = read(body.as_bytes(), "").unwrap();
        let versions = input.strings("LaunchTemplateVersion");
        assert_eq!((versions[0].as_str(), versions[10].as_str()), ("v1", "v11"));
        let tags = &input.get("LaunchTemplateData").list("TagSpecification")[0];
        assert_eq!(tags.list("Tag")[0].str("Key"), Some("k"));
    }

    #[test]
    fn an_empty_list_is_an_empty_text_and_a_missing_action_is_refused() {
        let (_, input) = read(b"Action=X&Names=", "").unwrap();
        assert!(input.list("Names").is_empty());
        assert_eq!(read(b"Version=1", "").unwrap_err().code, "MissingAction");
    }

    #[test]
    fn a_name_with_too_many_segments_is_refused() {
        let of_steps = |steps: usize| format!("Action=X&{}=1", vec!["a"; steps].join("."));
        assert!(read(of_steps(MAX_DEPTH).as_bytes(), "").is_ok());
        for steps in [MAX_DEPTH + 1, 100_000] {
            let error = read(of_steps(steps).as_bytes(), "").unwrap_err();
            assert_eq!(error.code, "MalformedQueryString");
        }
    }
}
