//! What the tests that read sources as tokens ask of them.

use proc_macro2::{Delimiter, TokenTree};

pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

pub(crate) fn is_double_colon(tokens: &[TokenTree]) -> bool {
    let colon = |token: Option<&TokenTree>| token.is_some_and(|token| is_punct(token, ':'));
    colon(tokens.first()) && colon(tokens.get(1))
}

pub(crate) fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    match tokens {
        [hash, TokenTree::Group(attribute), ..] if is_punct(hash, '#') => {
            attribute.stream().to_string().replace(' ', "") == "cfg(test)"
        }
        _ => false,
    }
}

/// Returns where the item ends that starts at or after `at`: behind its braces or its semicolon.
pub(crate) fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_use = matches!(&tokens[at], TokenTree::Ident(word) if *word == "use");
    let end = tokens[at..].iter().position(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        token => is_punct(token, ';'),
    });
    end.map_or(tokens.len(), |offset| at + offset + 1)
}
