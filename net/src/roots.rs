//! CA certificates in addition to the system's (which `SSL_CERT_FILE` and `SSL_CERT_DIR` replace;
//! rustls-native-certs reads those variables): the AWS CLI's bundle for every host, and Docker's and Podman's
//! folders for one registry each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Certificate;

use super::TransportError;

/// CA certificates, by the hosts that they are trusted for.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// For every host: `AWS_CA_BUNDLE`.
    pub(super) everywhere: Vec<Certificate>,
    /// For one host each, with its port if it has one: `certs.d/<host>/*.crt` (Docker's reference, "Verify
    /// repository client with certificates"). A folder that cannot be read is an error only for requests to
    /// its host.
    pub(super) by_host: BTreeMap<String, Result<Vec<Certificate>, TransportError>>,
}

impl Roots {
    /// Reads the files that the environment names, and the folders that exist.
    ///
    /// # Errors
    /// Fails if `AWS_CA_BUNDLE` names no readable bundle.
    pub(super) fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Roots, TransportError> {
        let bundle = variable("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
        let everywhere = match bundle {
            Some(path) => read(Path::new(&path)).map_err(|error| error.named("AWS_CA_BUNDLE"))?,
            None => Vec::new(),
        };
        let home = variable("HOME").map(PathBuf::from);
        let of_home = home.iter().flat_map(|home| {
            [".config/containers/certs.d", ".config/docker/certs.d"].map(|folder| home.join(folder))
        });
        let folders = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
        let mut by_host = BTreeMap::new();
        for folder in folders.into_iter().chain(of_home) {
            by_host.extend(hosts(&folder));
        }
        Ok(Roots { everywhere, by_host })
    }
}

/// Returns the hosts that have a folder in `folder`, each with its CA certificates, if it has any.
fn hosts(folder: &Path) -> Vec<(String, Result<Vec<Certificate>, TransportError>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let host = entry.file_name().into_string().ok()?.to_ascii_lowercase();
            let mut files: Vec<PathBuf> = fs::read_dir(entry.path())
                .ok()?
                .filter_map(|file| Some(file.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "crt"))
                .collect();
            files.sort();
            let read: Result<Vec<_>, _> = files.iter().map(|file| read(file)).collect();
            (!files.is_empty()).then(|| (host, read.map(|all| all.concat())))
        })
        .collect()
}

/// Reads the certificates in a PEM file; at least one.
fn read(path: &Path) -> Result<Vec<Certificate>, TransportError> {
    let failed =
        |cause: String| TransportError::Setup { cause: format!("{}: {cause}", path.display()) };
    let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(failed("contains no PEM certificate".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_and_matters_only_where_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join(".config/docker/certs.d/Registry.example:5000");
        fs::create_dir_all(&certs).unwrap();
        fs::write(certs.join("ca.crt"), "nothing").unwrap();
        fs::create_dir_all(certs.with_file_name("empty.example")).unwrap();
        let home = folder.path().display().to_string();
        let roots = Roots::find(|name| (name == "HOME").then(|| home.clone())).unwrap();
        assert!(roots.everywhere.is_empty());
        let error = roots.by_host["registry.example:5000"].as_ref().unwrap_err().to_string();
        assert!(error.contains("ca.crt: contains no PEM certificate"), "{error}");
        assert!(!roots.by_host.contains_key("empty.example"));

        let bundle = |name: &str| (name == "AWS_CA_BUNDLE").then(|| format!("{home}/none.pem"));
        let error = Roots::find(bundle).unwrap_err().to_string();
        assert!(error.contains("AWS_CA_BUNDLE") && error.contains("none.pem"), "{error}");
    }
}
