//! The file system of one layer, ordered by path.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{AssembleError, Owner};

/// A file, folder or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub owner: Owner,
    /// Permissions; `None` for the defaults.
    pub mode: Option<u32>,
    pub kind: Kind,
}

/// The type of a node, with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File { executable: bool, bytes: Bytes },
    Link { target: String },
}

impl Node {
    /// Creates a node with owner root and default permissions.
    pub(super) fn plain(kind: Kind) -> Node {
        Node { owner: Owner::default(), mode: None, kind }
    }

    fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// Symbolic links of many distributions, and their targets. Layers are assembled without reading the base
/// image's files, and a folder with such a path would replace the link.
const LINKS: &[(&str, &str)] = &[
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib32", "usr/lib32"),
    ("lib64", "usr/lib64"),
    ("var/lock", "run/lock"),
    ("var/run", "run"),
];

/// Folders whose permissions differ from 0755 in every distribution: a layer that contains a folder sets its
/// permissions again.
const KNOWN: &[(&str, u32)] = &[("root", 0o700), ("tmp", 0o1777), ("var/tmp", 0o1777)];

/// Nodes by path without a leading slash, including all parents.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    over_base: bool,
}

impl Tree {
    /// Creates an empty tree, for an image with or without a base image.
    pub(super) fn new(over_base: bool) -> Tree {
        Tree { nodes: BTreeMap::new(), over_base }
    }

    /// Inserts `node` at `path`, in place of an earlier one. A folder and a file cannot replace each other.
    pub(super) fn insert(&mut self, path: &str, node: Node) -> Result<(), AssembleError> {
        let components: Vec<&str> =
            path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if components.contains(&"..") || components.is_empty() && !node.is_folder() {
            return Err(AssembleError::BadPath { path: path.to_owned() });
        }
        for depth in 1..components.len() {
            let parent = components[..depth].join("/");
            if !self.nodes.get(&parent).is_some_and(Node::is_folder) {
                self.place(parent, Node::plain(Kind::Folder))?;
            }
        }
        if components.is_empty() { Ok(()) } else { self.place(components.join("/"), node) }
    }

    fn place(&mut self, path: String, node: Node) -> Result<(), AssembleError> {
        let link = LINKS.iter().find(|(link, _)| self.over_base && path == *link);
        if let Some((_, instead)) = link
            && !matches!(node.kind, Kind::Link { .. })
        {
            return Err(AssembleError::OverLink { path, instead });
        }
        match self.nodes.get(&path) {
            Some(earlier) if earlier.is_folder() != node.is_folder() => {
                Err(AssembleError::Clash { path })
            }
            _ => {
                self.nodes.insert(path, node);
                Ok(())
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.values().all(Node::is_folder)
    }

    /// Iterates over paths with their permissions and nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32, &Node)> {
        self.nodes.iter().map(|(path, node)| {
            let usual = || match &node.kind {
                Kind::Folder => self.usual(path),
                Kind::File { executable: false, .. } => 0o644,
                Kind::File { executable: true, .. } => 0o755,
                Kind::Link { .. } => 0o777,
            };
            (path.as_str(), node.mode.unwrap_or_else(usual), node)
        })
    }

    fn usual(&self, folder: &str) -> u32 {
        let known = KNOWN.iter().find(|(path, _)| self.over_base && folder == *path);
        known.map_or(0o755, |(_, mode)| *mode)
    }
}
