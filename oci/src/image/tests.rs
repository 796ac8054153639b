//! Assembly gives the same bytes for the same files, and nothing that an engine would reject.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;

fn site(files: &[(&str, &str)]) -> Assembly {
    Assembly {
        files: files.iter().map(|(from, to)| FileMapping::new(from, *to)).collect(),
        cmd: Some(vec!["serve".to_owned(), "/srv/www".to_owned()]),
        env: BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]),
        labels: BTreeMap::from([
            ("lab.version".to_owned(), "v2".to_owned()),
            ("lab.error-rate".to_owned(), "0".to_owned()),
        ]),
        exposed_ports: vec!["8080/tcp".to_owned()],
        ..Assembly::default()
    }
}

/// Assembles without a base image and without annotations.
fn alone(assembly: &Assembly, root: &Path) -> Result<Image, AssembleError> {
    assemble(assembly, root, &Bases::default(), &Annotations::default())
}

/// Returns each entry of the added layer: its path, its mode, and its content or target.
fn listing(image: &Image) -> Vec<String> {
    let mut tar = Vec::new();
    let Some(Layer::Local(layer)) = image.layers.last() else { panic!("no layer in memory") };
    flate2::read::GzDecoder::new(&layer.bytes[..]).read_to_end(&mut tar).unwrap();
    let diff_id = cutover_rollout::model::Digest::of(&tar);
    let config = String::from_utf8_lossy(&image.config.bytes).into_owned();
    assert!(config.contains(diff_id.as_str()), "{config}");
    let mut archive = tar::Archive::new(&tar[..]);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!(header.mtime().unwrap(), 0);
        let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
        let owner = if uid + gid > 0 { format!(" {uid}:{gid}") } else { String::new() };
        let path = entry.path().unwrap().display().to_string();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        if let Some(target) = entry.link_name().unwrap() {
            content = format!("-> {}", target.display());
        }
        format!("{path} {:o}{owner} {content}", header.mode().unwrap())
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
        alone(&site(&[("www", "/srv/www")]), root.path()).unwrap()
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
        @r#"{"config":{"digest":"sha256:975d99fcc7ac5ea792ba307e23a04ac581121aa838eac5343c8113578846306d","mediaType":"application/vnd.oci.image.config.v1+json","size":324},"layers":[{"digest":"sha256:1b6254d31daba7bfa86868582c966644a0872a0f0b16845b0d1aa4e36efd4492","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":156}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#
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
    let image = alone(&assembly, root.path()).unwrap();
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
    let refused = alone(&assembly, root.path()).unwrap_err();
    assert!(matches!(refused, AssembleError::LinkOutside { .. }), "{refused}");
}

#[test]
fn refusals_name_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "a").unwrap();
    let missing = alone(&site(&[("dist", "/srv/www")]), root.path()).unwrap_err();
    assert!(missing.to_string().contains("`dist`"), "{missing}");
    let clash = alone(&site(&[("a", "/srv"), ("a", "/srv/a")]), root.path()).unwrap_err();
    assert!(matches!(clash, AssembleError::Clash { .. }), "{clash}");
    let up = alone(&site(&[("a", "/srv/../../a")]), root.path()).unwrap_err();
    assert!(matches!(up, AssembleError::BadPath { .. }), "{up}");
    assert!(matches!(alone(&site(&[]), root.path()), Err(AssembleError::Empty)));
    let port = Assembly { exposed_ports: vec!["http".to_owned()], ..site(&[("a", "/a")]) };
    assert!(matches!(alone(&port, root.path()), Err(AssembleError::Invalid { .. })));
}

#[cfg(unix)]
#[test]
fn owner_and_mode_are_for_all_below() {
    use std::os::unix::fs::symlink;

    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("www/posts")).unwrap();
    fs::write(root.path().join("www/posts/one.html"), "one").unwrap();
    symlink("posts/one.html", root.path().join("www/latest")).unwrap();
    let www = FileMapping {
        owner: Some("1000:33".parse().unwrap()),
        mode: Some("0640".parse().unwrap()),
        ..FileMapping::new("www", "/srv/www")
    };
    let index = FileMapping::new("www/posts/one.html", "/srv/www/index.html");
    let image = alone(&Assembly { files: vec![www, index], ..site(&[]) }, root.path()).unwrap();
    assert_eq!(
        listing(&image),
        [
            "srv/ 755 ",
            "srv/www/ 750 1000:33 ",
            "srv/www/index.html 644 one",
            "srv/www/latest 777 1000:33 -> posts/one.html",
            "srv/www/posts/ 750 1000:33 ",
            "srv/www/posts/one.html 640 1000:33 one",
        ]
    );
}

const LAYER: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Returns a base image with one layer.
fn base(architecture: &str) -> base::Base {
    let manifest = json!({
        "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": LAYER, "size": 2 },
        "layers": [
            { "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", "digest": LAYER, "size": 7 }
        ],
    });
    let config = json!({
        "os": "linux", "architecture": architecture, "docker_version": "20.10",
        "created": "2026-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/tini"], "Cmd": ["sh"], "User": "65532", "WorkingDir": "/home",
            "Env": ["PATH=/bin", "PORT=1"], "Labels": { "base": "yes", "lab.version": "0" },
            "ExposedPorts": { "53/udp": {} }, "Healthcheck": { "Test": ["CMD", "true"] }, "OnBuild": null,
        },
        "history": [{ "created_by": "ADD" }, { "created_by": "ENV", "empty_layer": true }],
        "rootfs": { "type": "layers", "diff_ids": [LAYER] },
    });
    let repository = "ghcr.io/acme/base".parse().unwrap();
    let (manifest, config) = (manifest.to_string(), config.to_string());
    base::Base::new(&repository, manifest.as_bytes(), config.as_bytes()).unwrap()
}

/// Returns the site on the base image.
fn based(files: &[(&str, &str)]) -> Assembly {
    Assembly { base: Some(format!("ghcr.io/acme/base@{LAYER}").parse().unwrap()), ..site(files) }
}

fn read(blob: &Blob) -> Value {
    serde_json::from_slice(&blob.bytes).unwrap()
}

#[test]
fn a_base_image_is_inherited_as_in_a_dockerfile() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "a").unwrap();
    let bases: Bases = [base("amd64")].into_iter().collect();
    let annotations = Annotations::default();
    let made = |assembly: &Assembly| assemble(assembly, root.path(), &bases, &annotations).unwrap();
    let image = made(&based(&[("a", "/tmp/a")]));
    assert_eq!(listing(&image), ["tmp/ 1777 ", "tmp/a 644 a"]);
    insta::assert_snapshot!(
        String::from_utf8_lossy(&image.config.bytes),
        @r#"{"architecture":"amd64","config":{"Cmd":["serve","/srv/www"],"Entrypoint":["/tini"],"Env":["PATH=/bin","PORT=8080"],"ExposedPorts":{"53/udp":{},"8080/tcp":{}},"Healthcheck":{"Test":["CMD","true"]},"Labels":{"base":"yes","lab.error-rate":"0","lab.version":"v2"},"User":"65532","WorkingDir":"/home"},"created":"1970-01-01T00:00:00Z","history":[{"created_by":"ADD"},{"created_by":"ENV","empty_layer":true},{"created":"1970-01-01T00:00:00Z","created_by":"cutover"}],"os":"linux","rootfs":{"diff_ids":["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","sha256:5c353e27186d66ba748869944e73486932e81e5e81fe9dedb20f2a69ee5f0934"],"type":"layers"}}"#
    );
    let manifest = read(&image.manifest);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
    assert_eq!(manifest["layers"][0]["size"], 7);
    assert_eq!(manifest["annotations"], Value::Null);

    let entrypoint = Some(vec!["/a".to_owned()]);
    let own = Assembly { entrypoint: entrypoint.clone(), cmd: None, ..based(&[("a", "/a")]) };
    let config = read(&made(&own).config);
    assert_eq!(
        (&config["config"]["Entrypoint"], &config["config"]["Cmd"]),
        (&json!(["/a"]), &Value::Null)
    );
    let none = Assembly { entrypoint: Some(Vec::new()), ..own };
    assert_eq!(read(&made(&none).config)["config"]["Entrypoint"], Value::Null);

    let link = assemble(&based(&[("a", "/bin/a")]), root.path(), &bases, &annotations).unwrap_err();
    assert!(link.to_string().contains("Write `/usr/bin`"), "{link}");
    let unread = alone(&own_platform("arm64", based(&[("a", "/a")])), root.path()).unwrap_err();
    assert!(matches!(unread, AssembleError::NoBase { .. }), "{unread}");
}

fn own_platform(architecture: &str, assembly: Assembly) -> Assembly {
    Assembly { platform: format!("linux/{architecture}").parse().unwrap(), ..assembly }
}

#[test]
fn each_platform_has_its_files_and_the_index_names_them_all() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "x86", "arm"] {
        fs::write(root.path().join(name), name).unwrap();
    }
    let [amd64, arm64]: [Platform; 2] = ["linux/amd64", "linux/arm64"].map(|p| p.parse().unwrap());
    let only = |from: &str, platform: &Platform| FileMapping {
        platform: Some(platform.clone()),
        ..FileMapping::new(from, "/tool")
    };
    let mut assembly = own_platform("arm64", based(&[("a", "/a")]));
    assembly.platforms = vec![amd64.clone(), arm64.clone()];
    let bases: Bases = [base("arm64"), base("amd64")].into_iter().collect();
    let annotations = Annotations {
        revision: Some("1a2b3c".to_owned()),
        created: Some("2026-01-05T09:00:00Z".parse().unwrap()),
        ..Annotations::default()
    };
    let made = |assembly: &Assembly| assemble(assembly, root.path(), &bases, &annotations).unwrap();
    let alike = made(&assembly);
    let layers: Vec<_> = alike.platforms().map(|image| image.layers[1].digest()).collect();
    assert_eq!(layers[0], layers[1]);

    assembly.files.extend([only("x86", &amd64), only("arm", &arm64)]);
    let image = made(&assembly);
    assert_eq!(image, made(&assembly));
    let index = image.index.as_ref().unwrap();
    assert_eq!(listing(&image), ["a 644 a", "tool 644 arm"]);
    assert_eq!(listing(&index.others[0]), ["a 644 a", "tool 644 x86"]);
    assert_eq!(read(&image.config)["architecture"], "arm64");
    assert_eq!(image.tag_target(), &index.manifest);
    let said = read(&index.manifest);
    let digests = [&said["manifests"][0]["digest"], &said["manifests"][1]["digest"]];
    assert_eq!(digests, [index.others[0].digest().as_str(), image.digest().as_str()]);
    assert_eq!(said["manifests"][1]["platform"], json!({ "architecture": "arm64", "os": "linux" }));
    let annotated = json!({
        "org.opencontainers.image.created": "2026-01-05T09:00:00Z",
        "org.opencontainers.image.revision": "1a2b3c",
    });
    assert_eq!(said["annotations"], annotated);
    assert_eq!(read(&image.manifest)["annotations"], annotated);
}
