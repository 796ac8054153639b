//! Images: [`assemble`] makes one from files, without an engine and reproducibly: the same files
//! give the same digest on every machine. Building a Dockerfile by a Docker Engine has its place
//! beside it, as `build`, and so have layers of a base image.

mod assembly;
mod compress;
mod document;
mod error;
mod files;
mod gzip;
mod layer;
mod tree;

use std::path::Path;

pub use crate::registry::{Blob, Image};
pub use assembly::{Assembly, Entry, FileMapping, InvalidPlatform, Platform};
pub use compress::{Compressed, compress};
pub use error::AssembleError;

use tree::Tree;

/// Makes an image from the files that `assembly` names, relative to `root`.
///
/// Reads the disk and compresses on the calling thread; the whole image is in memory, so this is
/// for sites and programs, not for gigabytes.
///
/// # Errors
/// Where a file is missing or can't be in an image, or a setting isn't valid.
pub fn assemble(assembly: &Assembly, root: &Path) -> Result<Image, AssembleError> {
    let mut tree = Tree::default();
    for mapping in &assembly.files {
        files::collect(mapping, root, &mut tree)?;
    }
    finish(&tree, assembly)
}

/// Makes an image from entries in memory; `assembly.files` isn't looked at.
///
/// # Errors
/// Where a path can't be in an image, or a setting isn't valid.
pub fn assemble_entries(entries: &[Entry], assembly: &Assembly) -> Result<Image, AssembleError> {
    let mut tree = Tree::default();
    for entry in entries {
        let node = tree::Node::File { executable: entry.executable, bytes: entry.bytes.clone() };
        tree.insert(&entry.path, node)?;
    }
    finish(&tree, assembly)
}

fn finish(tree: &Tree, assembly: &Assembly) -> Result<Image, AssembleError> {
    if tree.is_empty() {
        return Err(AssembleError::Empty);
    }
    let (diff_id, layer) = layer::pack(tree)?;
    let config = document::config(assembly, &diff_id)?;
    let manifest = document::manifest(&config, std::slice::from_ref(&layer))?;
    Ok(Image { manifest, config, layers: vec![layer] })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Read as _;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn site(files: &[(&str, &str)]) -> Assembly {
        Assembly {
            files: files
                .iter()
                .map(|(from, to)| FileMapping { from: from.into(), to: (*to).to_owned() })
                .collect(),
            cmd: vec!["serve".to_owned(), "/srv/www".to_owned()],
            env: BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]),
            labels: BTreeMap::from([
                ("lab.version".to_owned(), "v2".to_owned()),
                ("lab.error-rate".to_owned(), "0".to_owned()),
            ]),
            exposed_ports: vec!["8080/tcp".to_owned()],
            ..Assembly::default()
        }
    }

    /// Each entry of the layer: its path, its mode, and its content or target.
    fn listing(image: &Image) -> Vec<String> {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(&image.layers[0].bytes[..]).read_to_end(&mut tar).unwrap();
        let diff_id = crate::model::Digest::of(&tar);
        let config = String::from_utf8_lossy(&image.config.bytes).into_owned();
        assert!(config.contains(diff_id.as_str()), "{config}");
        let mut archive = tar::Archive::new(&tar[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
            let path = entry.path().unwrap().display().to_string();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            if let Some(target) = entry.link_name().unwrap() {
                content = format!("-> {}", target.display());
            }
            format!("{path} {:o} {content}", header.mode().unwrap())
        });
        entries.collect()
    }

    #[test]
    fn same_files_same_digest_whatever_their_times_modes_and_order() {
        let make = |reverse: bool, mode: u32, age: u64| {
            let root = tempfile::tempdir().unwrap();
            let www = root.path().join("www");
            fs::create_dir_all(www.join("posts")).unwrap();
            let mut names = ["index.html", "style.css", "posts/one.html"];
            if reverse {
                names.reverse();
            }
            for name in names {
                let path = www.join(name);
                fs::write(&path, name).unwrap();
                let file = fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt as _;
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                }
            }
            assemble(&site(&[("www", "/srv/www")]), root.path()).unwrap()
        };
        let image = make(false, 0o644, 0);
        assert_eq!(image, make(true, 0o600, 86_400));
        assert_ne!(image.digest(), make(false, 0o700, 0).digest());

        let names = ["index.html", "posts/one.html", "style.css"];
        let entries = names.map(|name| Entry::file(format!("/srv/www/{name}"), name.as_bytes()));
        let in_memory = assemble_entries(&entries, &site(&[])).unwrap();
        assert_eq!(image.digest(), in_memory.digest());
    }

    #[test]
    fn the_digest_is_pinned() {
        let entries = [Entry::file("srv/www/index.html", "hello")];
        let image = assemble_entries(&entries, &site(&[])).unwrap();
        insta::assert_snapshot!(
            String::from_utf8_lossy(&image.config.bytes),
            @r#"{"architecture":"amd64","config":{"Cmd":["serve","/srv/www"],"Env":["PORT=8080"],"ExposedPorts":{"8080/tcp":{}},"Labels":{"lab.error-rate":"0","lab.version":"v2"}},"created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"diff_ids":["sha256:b202646a36a4180d7f35184739253640f48b8514f94cf4164697052085b1b760"],"type":"layers"}}"#
        );
        insta::assert_snapshot!(
            String::from_utf8_lossy(&image.manifest.bytes),
            @r#"{"config":{"digest":"sha256:975d99fcc7ac5ea792ba307e23a04ac581121aa838eac5343c8113578846306d","mediaType":"application/vnd.oci.image.config.v1+json","size":324},"layers":[{"digest":"sha256:3352bbc056a930e8f3f6d5c826ed641596b9e00c06d6986414c2a9901386f125","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":149}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_layer_has_parents_normal_modes_and_inner_links() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("www/empty")).unwrap();
        fs::write(at("www/index.html"), "hello").unwrap();
        fs::write(at("start"), "#!/bin/sh").unwrap();
        fs::set_permissions(at("start"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("../index.html", at("www/empty/home")).unwrap();

        let assembly = site(&[("www", "/srv/www"), ("start", "/usr/bin/")]);
        let image = assemble(&assembly, root.path()).unwrap();
        assert_eq!(
            listing(&image),
            [
                "srv/ 755 ",
                "srv/www/ 755 ",
                "srv/www/empty/ 755 ",
                "srv/www/empty/home 777 -> ../index.html",
                "srv/www/index.html 644 hello",
                "usr/ 755 ",
                "usr/bin/ 755 ",
                "usr/bin/start 755 #!/bin/sh",
            ]
        );

        symlink("../../secret", at("www/leak")).unwrap();
        let refused = assemble(&assembly, root.path()).unwrap_err();
        assert!(matches!(refused, AssembleError::LinkOutside { .. }), "{refused}");
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "a").unwrap();
        let missing = assemble(&site(&[("dist", "/srv/www")]), root.path()).unwrap_err();
        assert!(missing.to_string().contains("`dist`"), "{missing}");
        let clash = assemble(&site(&[("a", "/srv"), ("a", "/srv/a")]), root.path()).unwrap_err();
        assert!(matches!(clash, AssembleError::Clash { .. }), "{clash}");
        let up = assemble(&site(&[("a", "/srv/../../a")]), root.path()).unwrap_err();
        assert!(matches!(up, AssembleError::BadPath { .. }), "{up}");
        assert!(matches!(assemble(&site(&[]), root.path()), Err(AssembleError::Empty)));
        let port = Assembly { exposed_ports: vec!["http".to_owned()], ..site(&[("a", "/a")]) };
        assert!(matches!(assemble(&port, root.path()), Err(AssembleError::Invalid { .. })));
        assert!("linux".parse::<Platform>().is_err());
        assert_eq!("linux/arm/v7".parse::<Platform>().unwrap().to_string(), "linux/arm/v7");
    }
}
