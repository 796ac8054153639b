//! The file system of one layer, in order of paths.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::AssembleError;

/// One thing in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    File { executable: bool, bytes: Bytes },
    Link { target: String },
}

/// Paths without a leading slash, each with all its parents.
#[derive(Debug, Default)]
pub(super) struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Puts `node` at `path`. A file takes the place of an earlier one; a folder stays what it is.
    pub(super) fn insert(&mut self, path: &str, node: Node) -> Result<(), AssembleError> {
        let components: Vec<&str> =
            path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if components.contains(&"..") || components.is_empty() && node != Node::Folder {
            return Err(AssembleError::BadPath { path: path.to_owned() });
        }
        for depth in 1..components.len() {
            self.place(components[..depth].join("/"), Node::Folder)?;
        }
        if components.is_empty() { Ok(()) } else { self.place(components.join("/"), node) }
    }

    fn place(&mut self, path: String, node: Node) -> Result<(), AssembleError> {
        match self.0.get(&path) {
            Some(earlier) if (*earlier == Node::Folder) != (node == Node::Folder) => {
                Err(AssembleError::Clash { path })
            }
            _ => {
                self.0.insert(path, node);
                Ok(())
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(|node| *node == Node::Folder)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(path, node)| (path.as_str(), node))
    }
}
