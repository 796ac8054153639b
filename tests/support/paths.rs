//! Finds the paths that a Rust source mentions: `a::b::c`, with the trees of `use` expanded. It
//! reads tokens, so comments and strings don't count and the contents of macros do.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::tokens::{end_of_item, is_cfg_test, is_double_colon};

/// A mention of a path, at a line counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) path: String,
    pub(crate) line: usize,
}

impl Mention {
    /// Whether it is `path`, or something inside.
    pub(crate) fn within(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Returns all mentions in `source`, except in items marked `#[cfg(test)]`.
pub(crate) fn mentions(source: &str) -> Vec<Mention> {
    let stream: TokenStream = source.parse().unwrap();
    let mut found = Vec::new();
    walk(stream, "", &mut found);
    found
}

/// Collects the mentions in `stream`, whose paths start inside `prefix`.
fn walk(stream: TokenStream, prefix: &str, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            at = end_of_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Ident(ident) => {
                let mut path = format!("{prefix}{ident}");
                let line = ident.span().start().line;
                at += 1;
                let mut tree = None;
                while is_double_colon(&tokens[at..]) && tree.is_none() {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(next)) => path += &format!("::{next}"),
                        Some(TokenTree::Group(group)) if is_brace(group) => tree = Some(group),
                        _ => break,
                    }
                    at += 3;
                }
                match tree {
                    Some(tree) => walk(tree.stream(), &format!("{path}::"), found),
                    None => found.push(Mention { path, line }),
                }
            }
            TokenTree::Group(group) => {
                walk(group.stream(), "", found);
                at += 1;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
        }
    }
}

fn is_brace(group: &Group) -> bool {
    group.delimiter() == Delimiter::Brace
}
