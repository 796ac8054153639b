//! Writes files to disk: all of them, or none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::scaffold::File;
use cutover_rollout::model::Failure;

/// Writes the files below the current directory. All of them are on disk under temporary names before the first one
/// is renamed, so that a full disk leaves nothing half-written.
///
/// # Errors
/// If a file exists and may not be overwritten, or a file cannot be written. Nothing is left behind then.
pub(super) fn all(files: &[File], force: bool) -> Result<(), Failure> {
    let existing: Vec<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| Path::new(path).symlink_metadata().is_ok())
        .collect();
    if !force && !existing.is_empty() {
        let (these, them) = if existing.len() == 1 { ("exists", "it") } else { ("exist", "them") };
        let message = format!("{} {these} already; nothing was written", existing.join(" and "));
        let hint =
            format!("use `--force` to overwrite {them}, or `--print` to print the files instead");
        return Err(Failure::refused(message).hint(hint));
    }
    if let Some(folder) = existing.iter().find(|path| !Path::new(path).is_file()) {
        let message = format!("{folder} is not a regular file; nothing was written");
        return Err(Failure::refused(message).hint("move it, or run cutover in another directory"));
    }
    let mut made = StagedFiles::default();
    let staged = files.iter().map(|file| made.stage(file)).collect::<Result<Vec<_>, _>>();
    let written = staged.and_then(|staged| made.place(staged, force));
    match written {
        Ok(()) => Ok(()),
        Err(why) => {
            made.remove();
            Err(Failure::failed(format!("{why}; nothing was written")))
        }
    }
}

/// What this run created, newest last.
#[derive(Default)]
struct StagedFiles {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// The previous contents of files that were overwritten.
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl StagedFiles {
    /// Writes a file under a temporary name in its directory.
    fn stage(&mut self, file: &File) -> Result<(NamedTempFile, PathBuf), String> {
        let path = PathBuf::from(&file.path);
        // A symbolic link stays one: its target is written.
        let path = path.canonicalize().unwrap_or(path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        self.create(folder)?;
        let failed = |error: std::io::Error| format!("{}: {error}", file.path);
        let mut builder = Builder::new();
        builder.prefix(".cutover-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The mode of any new file, before the process's umask.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut staged = builder.tempfile_in(folder).map_err(failed)?;
        staged.write_all(file.text.as_bytes()).map_err(failed)?;
        staged.as_file().sync_all().map_err(failed)?;
        Ok((staged, path))
    }

    /// Renames the files to their final names.
    fn place(&mut self, staged: Vec<(NamedTempFile, PathBuf)>, force: bool) -> Result<(), String> {
        for (file, path) in staged {
            let before = match path.symlink_metadata() {
                Ok(_) => Some(
                    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?,
                ),
                Err(_) => None,
            };
            let placed = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
            placed.map_err(|error| format!("{}: {}", path.display(), error.error))?;
            match before {
                Some(bytes) => self.before.push((path, bytes)),
                None => self.files.push(path),
            }
        }
        Ok(())
    }

    /// Creates a directory and its missing parents.
    fn create(&mut self, folder: &Path) -> Result<(), String> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            std::fs::create_dir(folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    /// Removes what was created and restores what was overwritten, as far as that is possible.
    fn remove(&self) {
        for (file, bytes) in &self.before {
            let _ = std::fs::write(file, bytes);
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
