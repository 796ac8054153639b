//! A build's context: a folder, as an archive that is written while it is sent.
//!
//! The same files give the same bytes: sorted by name, owned by root. Modes, times and symbolic links are
//! kept, since an image may contain them.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

use super::{BuildError, Ignore};
use cutover_rollout::model::Digest;

/// Size of a chunk, and number of chunks between the folder and the engine.
const CHUNK: usize = 256 * 1024;
const CHUNKS: usize = 4;

/// A folder and a Dockerfile, both known to exist.
#[derive(Debug, Clone)]
pub(super) struct Context {
    folder: PathBuf,
    ignore: Ignore,
    /// The ignore file, if there is one.
    ignored_by: Option<PathBuf>,
    /// Path of the Dockerfile as given.
    pub(super) dockerfile: PathBuf,
    /// Its text, for messages.
    pub(super) text: String,
    /// Its name in the archive.
    pub(super) name: String,
    /// Whether it is outside the folder, and sent along under this name.
    outside: bool,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Context {
    /// Checks that folder and Dockerfile exist, and reads the ignore file: the Dockerfile's own
    /// (`<Dockerfile>.dockerignore`), else the folder's.
    pub(super) fn open(folder: &Path, dockerfile: &Path) -> Result<Context, BuildError> {
        let root = fs::canonicalize(folder).ok().filter(|root| root.is_dir());
        let root = root.ok_or_else(|| BuildError::NoContext { folder: folder.to_owned() })?;
        let text = match fs::read(dockerfile) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(source) => {
                let (path, folder) = (dockerfile.to_owned(), folder.to_owned());
                return Err(BuildError::NoDockerfile { path, folder, source });
            }
        };
        let mut own = dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        let (mut ignore, mut ignored_by) = (Ignore::default(), None);
        for file in [PathBuf::from(own), root.join(".dockerignore")] {
            let patterns = match fs::read(&file) {
                Ok(patterns) => patterns,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(BuildError::Read { path: file, source }),
            };
            ignore = Ignore::parse(&String::from_utf8_lossy(&patterns))
                .map_err(|source| BuildError::Ignore { file: file.clone(), source })?;
            ignored_by = Some(file);
            break;
        }
        let inside = inside(&root, dockerfile);
        let outside = inside.is_none();
        let elsewhere = || format!(".dockerfile.{}", Digest::of(text.as_bytes()).short());
        let name = inside.unwrap_or_else(elsewhere);
        let dockerfile = dockerfile.to_owned();
        Ok(Context { folder: root, ignore, ignored_by, dockerfile, text, name, outside })
    }

    /// Returns the ignore file if it excludes a path that exists. The path is relative to the folder.
    pub(super) fn excluded_by(&self, path: &str) -> Option<&Path> {
        let path = path.trim_matches('/');
        let left_out = self.ignore.ignores(path) && self.folder.join(path).exists();
        self.ignored_by.as_deref().filter(|_| left_out)
    }

    /// Returns the archive as a stream, and the task that writes it. Dropping the stream ends the task.
    pub(super) fn send(
        self,
    ) -> (ReceiverStream<io::Result<Bytes>>, JoinHandle<Result<Sent, BuildError>>) {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let walk = tokio::task::spawn_blocking(move || {
            let broken = sender.clone();
            let written = self.write(Pipe { sender, buffer: BytesMut::with_capacity(CHUNK) });
            if let Err(error) = &written {
                // A truncated archive would pass for a complete one.
                let _ = broken.blocking_send(Err(io::Error::other(error.to_string())));
            }
            written
        });
        (ReceiverStream::new(receiver), walk)
    }

    fn write(&self, out: impl Write) -> Result<Sent, BuildError> {
        let archive = tar::Builder::new(out);
        let mut writer = Writer { archive, folders: BTreeSet::new(), sent: Sent::default() };
        if self.outside {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(self.text.len() as u64);
            writer.append(&mut header, Path::new(&self.name), self.text.as_bytes())?;
        }
        self.walk(Path::new(""), &mut writer)?;
        let failed = |source| BuildError::Read { path: self.folder.clone(), source };
        let mut out = writer.archive.into_inner().map_err(failed)?;
        out.flush().map_err(failed)?;
        Ok(writer.sent)
    }

    /// Archives the content of `below`, which is relative to the folder.
    fn walk(&self, below: &Path, writer: &mut Writer<impl Write>) -> Result<(), BuildError> {
        let folder = self.folder.join(below);
        let failed = |source| BuildError::Read { path: folder.clone(), source };
        let entries = fs::read_dir(&folder).map_err(failed)?;
        let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|e| e.file_name())).collect();
        let mut names = names.map_err(failed)?;
        names.sort();
        for name in names {
            let relative = below.join(name);
            let path = self.folder.join(&relative);
            let failed = |source| BuildError::Read { path: path.clone(), source };
            let metadata = fs::symlink_metadata(&path).map_err(failed)?;
            let text = relative.to_string_lossy();
            let left_out = self.ignore.ignores(&text) && !self.is_dockerfile(&text);
            if metadata.is_dir() {
                if !left_out {
                    writer.folder(&self.folder, &relative)?;
                }
                let leads_on = format!("{text}/");
                if !left_out
                    || self.ignore.may_readmit_below(&text)
                    || (!self.outside && self.name.starts_with(&leads_on))
                {
                    self.walk(&relative, writer)?;
                }
            } else if !left_out {
                writer.entry(&self.folder, &relative, &metadata)?;
            }
        }
        Ok(())
    }

    /// Returns whether this is the Dockerfile, which the engine reads from the archive even if it is ignored.
    fn is_dockerfile(&self, path: &str) -> bool {
        !self.outside && path == self.name
    }
}

/// Returns the Dockerfile's path in the context; `None` if it is outside, or a link to the outside.
fn inside(root: &Path, dockerfile: &Path) -> Option<String> {
    let path = fs::canonicalize(dockerfile).ok()?;
    let name = path.strip_prefix(root).ok()?.to_str()?.to_owned();
    Some(name)
}

struct Writer<W: Write> {
    archive: tar::Builder<W>,
    /// Folders that have an entry.
    folders: BTreeSet<PathBuf>,
    sent: Sent,
}

impl<W: Write> Writer<W> {
    /// Adds a folder before its content, even if the folder itself is ignored.
    fn folder(&mut self, root: &Path, path: &Path) -> Result<(), BuildError> {
        if path.as_os_str().is_empty() || !self.folders.insert(path.to_owned()) {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            self.folder(root, above)?;
        }
        let read = |source| BuildError::Read { path: root.join(path), source };
        let mut header = header(&fs::metadata(root.join(path)).map_err(read)?);
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        self.append(&mut header, path, io::empty())
    }

    fn entry(&mut self, root: &Path, path: &Path, metadata: &Metadata) -> Result<(), BuildError> {
        let from = root.join(path);
        let failed = |source| BuildError::Read { path: from.clone(), source };
        let kind = metadata.file_type();
        // Sockets, pipes and devices are in use by a process, and do not belong in an image.
        if !kind.is_file() && !kind.is_symlink() {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            self.folder(root, above)?;
        }
        let mut header = header(metadata);
        if kind.is_symlink() {
            let target = fs::read_link(&from).map_err(failed)?;
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            return self.archive.append_link(&mut header, path, target).map_err(failed);
        }
        let file = File::open(&from).map_err(failed)?;
        header.set_size(metadata.len());
        self.sent.files += 1;
        self.sent.bytes += metadata.len();
        self.append(&mut header, path, Exactly { file, left: metadata.len() })
    }

    fn append(
        &mut self,
        header: &mut tar::Header,
        path: &Path,
        content: impl Read,
    ) -> Result<(), BuildError> {
        let failed = |source| BuildError::Read { path: path.to_owned(), source };
        self.archive.append_data(header, path, content).map_err(failed)
    }
}

fn header(metadata: &Metadata) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(metadata.permissions().mode() & 0o7777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or_default());
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Reads as much of a file as its entry says: the file may be written to meanwhile.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            let became = "the file became shorter while it was read";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, became));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Passes chunks to the sender, and waits for them to be taken.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..most]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK)).freeze();
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the engine stopped reading");
        self.sender.blocking_send(Ok(chunk)).map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use tokio_stream::StreamExt as _;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn archive(context: &Context) -> Vec<u8> {
        let mut bytes = Vec::new();
        context.write(&mut bytes).unwrap();
        bytes
    }

    fn names(context: &Context) -> Vec<String> {
        let bytes = archive(context);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let path = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            entry.unwrap().path().unwrap().display().to_string()
        };
        archive.entries().unwrap().map(path).collect()
    }

    #[test]
    fn what_is_left_out_and_what_comes_all_the_same() {
        let folder = folder(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "**\n!src\nsrc/*.o\n!node_modules/ours/a"),
            ("src/main.c", ""),
            ("src/main.o", ""),
            ("node_modules/ours/a", ""),
            ("node_modules/theirs/b", ""),
            ("README.md", ""),
        ]);
        let root = folder.path();
        let context = Context::open(root, &root.join("Dockerfile")).unwrap();
        let expected = [
            "Dockerfile",
            "node_modules",
            "node_modules/ours",
            "node_modules/ours/a",
            "src",
            "src/main.c",
        ];
        assert_eq!(names(&context), expected);
        assert_eq!(context.excluded_by("src/none.o"), None);
        let file = context.excluded_by("/src/main.o").unwrap();
        assert!(file.ends_with(".dockerignore"), "{}", file.display());
    }

    #[test]
    fn a_dockerfile_from_elsewhere_comes_with_its_own_list() {
        let folder = folder(&[
            ("context/a", ""),
            ("context/b", ""),
            ("context/.dockerignore", "a"),
            ("web.Dockerfile", "FROM scratch"),
            ("web.Dockerfile.dockerignore", "b"),
        ]);
        let dockerfile = folder.path().join("web.Dockerfile");
        let context = Context::open(&folder.path().join("context"), &dockerfile).unwrap();
        let names = names(&context);
        assert_eq!(names, [context.name.as_str(), ".dockerignore", "a"]);
        assert!(context.name.starts_with(".dockerfile."));
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let folder = folder(&[("Dockerfile", ""), ("b", "2"), ("a/c", "1")]);
        symlink("../b", folder.path().join("a/link")).unwrap();
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path().join("b"), mode).unwrap();
        let context = Context::open(folder.path(), &folder.path().join("Dockerfile")).unwrap();
        let bytes = archive(&context);
        assert!(bytes == archive(&context));
        let mut archive = tar::Archive::new(bytes.as_slice());
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            match entry.path().unwrap().to_str().unwrap() {
                "a/link" => {
                    assert_eq!(header.link_name().unwrap().unwrap(), Path::new("../b"));
                }
                "b" => assert_eq!(header.mode().unwrap(), 0o755),
                name => assert!(["Dockerfile", "a", "a/c"].contains(&name), "{name}"),
            }
        }
    }

    #[tokio::test]
    async fn it_is_sent_in_chunks_and_stops_where_nobody_takes_them() {
        let folder = folder(&[("Dockerfile", "")]);
        // More than fits between the folder and the engine.
        let size = (CHUNKS + 3) * CHUNK;
        fs::write(folder.path().join("big"), vec![7; size]).unwrap();
        let context = Context::open(folder.path(), &folder.path().join("Dockerfile")).unwrap();
        let whole = archive(&context);
        let (stream, walk) = context.clone().send();
        let chunks: Vec<Bytes> = stream.map(Result::unwrap).collect().await;
        assert!(chunks.concat() == whole);
        let sent = walk.await.unwrap().unwrap();
        assert_eq!(sent, Sent { files: 2, bytes: size as u64 });
        let (stream, walk) = context.send();
        drop(stream);
        let reported = walk.await.unwrap().unwrap_err().to_string();
        assert!(reported.contains("the engine stopped reading"), "{reported}");
    }

    #[test]
    fn what_is_missing_is_named_with_its_key() {
        let folder = folder(&[("Dockerfile", ""), (".dockerignore", "[a")]);
        let reported = |context: &str, dockerfile: &str| {
            let root = folder.path();
            let opened = Context::open(&root.join(context), &root.join(dockerfile));
            opened.unwrap_err().to_string()
        };
        let missing = reported("none", "Dockerfile");
        assert!(missing.contains("none") && missing.contains("image.build.context"), "{missing}");
        let missing = reported(".", "Dockerfil");
        assert!(missing.contains("Dockerfil`") && missing.contains("image.build.dockerfile"));
        let broken = reported(".", "Dockerfile");
        assert!(broken.contains(".dockerignore") && broken.contains("line 1"), "{broken}");
    }
}
