//! Encodes flat parameter names as the tree that they stand for, in CBOR.

use std::collections::BTreeMap;

use minicbor::Encoder;

/// A structure or list, or a leaf with its text.
#[derive(Default)]
pub(crate) struct Node<'a> {
    text: Option<&'a str>,
    members: BTreeMap<&'a str, Node<'a>>,
}

/// Returns the tree of names such as `Statistics.member.1`.
pub(crate) fn tree<'a>(parameters: &[(&'a str, &'a str)]) -> Node<'a> {
    let mut root = Node::default();
    for (name, value) in parameters {
        let mut node = &mut root;
        for step in name.split('.').filter(|step| *step != "member") {
            node = node.members.entry(step).or_default();
        }
        node.text = Some(value);
    }
    root
}

/// Writes the tree as a body: members with numbers for names become a list, and text that looks like a
/// number becomes one.
pub(crate) fn write(root: &Node<'_>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    if root.members.is_empty() {
        encoder.map(0).unwrap();
    } else {
        encode(&mut encoder, root);
    }
    encoder.into_writer()
}

fn encode(to: &mut Encoder<Vec<u8>>, node: &Node<'_>) {
    let count = node.members.len() as u64;
    if count > 0 && node.members.keys().all(|name| name.parse::<u32>().is_ok()) {
        to.array(count).unwrap();
        node.members.values().for_each(|item| encode(to, item));
    } else if count > 0 {
        to.map(count).unwrap();
        for (name, member) in &node.members {
            to.str(name).unwrap();
            encode(to, member);
        }
    } else {
        let text = node.text.unwrap_or_default();
        match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => to.i64(number).map(drop).unwrap(),
            (_, Ok(number)) => to.f64(number).map(drop).unwrap(),
            _ => to.str(text).map(drop).unwrap(),
        }
    }
}
