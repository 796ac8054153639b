//! Reads files from disk into the tree.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path};

use super::tree::{Kind, Node, Tree};
use super::{AssembleError, FileMapping, Mode};

/// Adds the mapping's file or folder to the tree.
pub(super) fn collect(
    mapping: &FileMapping,
    root: &Path,
    tree: &mut Tree,
) -> Result<(), AssembleError> {
    let source = root.join(&mapping.from);
    let metadata = fs::metadata(&source).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            AssembleError::Missing { from: mapping.from.clone(), path: source.clone() }
        }
        _ => AssembleError::Read { path: source.clone(), source: error },
    })?;
    if metadata.is_dir() {
        tree.insert(&mapping.to, mapping.stamp(Kind::Folder))?;
        return FolderCopy { mapping, top: &source }.folder(&source, &mapping.to, tree);
    }
    let to = match source.file_name() {
        Some(name) if mapping.to.ends_with('/') => {
            format!("{}{}", mapping.to, text(Path::new(name), &source)?)
        }
        _ => mapping.to.clone(),
    };
    tree.insert(&to, mapping.stamp(file(&source, &metadata)?))
}

/// A folder being copied.
struct FolderCopy<'a> {
    mapping: &'a FileMapping,
    top: &'a Path,
}

impl FolderCopy<'_> {
    fn folder(&self, folder: &Path, to: &str, tree: &mut Tree) -> Result<(), AssembleError> {
        let read = |source| AssembleError::Read { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(read)? {
            let path = entry.map_err(read)?.path();
            let metadata = fs::symlink_metadata(&path)
                .map_err(|source| AssembleError::Read { path: path.clone(), source })?;
            let name = path.file_name().map(Path::new).unwrap_or(&path);
            let to = format!("{to}/{}", text(name, &path)?);
            let kind = if metadata.is_dir() {
                Kind::Folder
            } else if metadata.is_symlink() {
                link(self.top, &path)?
            } else {
                file(&path, &metadata)?
            };
            tree.insert(&to, self.mapping.stamp(kind))?;
            if metadata.is_dir() {
                self.folder(&path, &to, tree)?;
            }
        }
        Ok(())
    }
}

impl FileMapping {
    /// Returns a node with the mapping's owner and permissions.
    fn stamp(&self, kind: Kind) -> Node {
        let mode = match kind {
            Kind::Folder => self.mode.map(Mode::folder),
            Kind::File { .. } => self.mode.map(Mode::file),
            // A symbolic link's own permissions are never used.
            Kind::Link { .. } => None,
        };
        Node { owner: self.owner.unwrap_or_default(), mode, kind }
    }
}

fn file(path: &Path, metadata: &Metadata) -> Result<Kind, AssembleError> {
    if !metadata.is_file() {
        return Err(AssembleError::Special { path: path.to_owned() });
    }
    let bytes = fs::read(path)
        .map_err(|source| AssembleError::Read { path: path.to_owned(), source })?
        .into();
    Ok(Kind::File { executable: is_executable(metadata), bytes })
}

/// Keeps a symbolic link as it is if its target, by its text alone, is within `top`.
fn link(top: &Path, path: &Path) -> Result<Kind, AssembleError> {
    let target = fs::read_link(path)
        .map_err(|source| AssembleError::Read { path: path.to_owned(), source })?;
    let parents = path.strip_prefix(top).map_or(0, |inner| inner.components().count() - 1);
    let mut depth = Some(parents);
    for component in target.components() {
        depth = match component {
            Component::Normal(_) => depth.map(|d| d + 1),
            Component::CurDir => depth,
            Component::ParentDir => depth.and_then(|d| d.checked_sub(1)),
            Component::RootDir | Component::Prefix(_) => None,
        };
    }
    if depth.is_none() {
        return Err(AssembleError::LinkOutside { path: path.to_owned(), target });
    }
    Ok(Kind::Link { target: text(&target, path)?.to_owned() })
}

fn text<'a>(name: &'a Path, path: &Path) -> Result<&'a str, AssembleError> {
    name.to_str().ok_or_else(|| AssembleError::NotUtf8 { path: path.to_owned() })
}

/// Only this part of a file's mode is kept: the rest depends on the umask of whoever checked the file out.
#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}
