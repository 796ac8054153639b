//! The arrows of ARCHITECTURE.md, as tables.

/// What each crate, or folder of one, may import from the others. Each may import itself.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("judge", &["model"]),
    ("template", &["model"]),
    ("rollout", &["model", "judge"]),
    ("config", &["model", "judge", "rollout", "image"]),
    ("iam", &[]),
    ("net", &[]),
    ("registry", &["model", "net"]),
    ("image", &["model", "registry"]),
    ("docker", &["model", "net"]),
    ("aws", &["model", "net"]),
    ("github", &["model", "net"]),
    ("publish", &["model", "net", "aws", "registry", "image", "docker"]),
    ("build", &["model", "config", "registry", "image", "docker", "publish"]),
    ("preflight", &["model", "config", "aws", "rollout", "template"]),
    ("discovery", &["model", "iam", "aws", "template", "preflight", "access"]),
    ("scaffold", &["model", "iam", "aws", "discovery"]),
    ("access", &["model", "config", "aws", "iam", "preflight", "rollout"]),
    ("report", &["model"]),
    ("runner", &["model", "template", "rollout", "net", "aws", "publish"]),
    (
        "planner",
        &[
            "model",
            "template",
            "rollout",
            "config",
            "net",
            "registry",
            "aws",
            "publish",
            "preflight",
            "runner",
        ],
    ),
    (
        "adopt",
        &[
            "model",
            "template",
            "config",
            "net",
            "registry",
            "aws",
            "publish",
            "discovery",
            "runner",
        ],
    ),
    (
        "rehearse",
        &[
            "model",
            "judge",
            "template",
            "rollout",
            "config",
            "net",
            "registry",
            "image",
            "aws",
            "publish",
            "preflight",
            "report",
            "planner",
            "runner",
            "iam",
            "access",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "judge",
            "template",
            "rollout",
            "config",
            "net",
            "docker",
            "registry",
            "image",
            "aws",
            "publish",
            "preflight",
            "report",
            "planner",
            "runner",
            "github",
            "iam",
            "access",
            "discovery",
            "scaffold",
            "adopt",
            "build",
            "rehearse",
        ],
    ),
    ("main.rs", &["cli"]),
    ("lib.rs", &[]),
];

/// The sources of the deployer's crates. Cargo keeps the arrows between crates acyclic; the table says which there are.
pub(crate) const CRATES: &[&str] =
    &["src", "config/src", "rollout/src", "net/src", "oci/src", "docker/src", "aws/src"];

/// Crates of which each folder is a row of its own; all others are one row.
pub(crate) const DIVIDED: &[(&str, &[&str])] =
    &[("rollout", &["model", "judge", "template"]), ("oci", &["registry", "image"])];

/// Something that only some folders may use.
pub(crate) struct Restricted {
    /// A crate (its prefix, if it ends in `*`), or a path.
    pub(crate) path: &'static str,
    /// The folders that may use it.
    pub(crate) by: &'static [&'static str],
    /// What to do instead.
    pub(crate) instead: &'static str,
}

pub(crate) const RESTRICTED: &[Restricted] = &[
    Restricted {
        path: "cutover_lab",
        by: &["rehearse", "cli"],
        instead: "the deployer does not use the lab: move this to src/rehearse",
    },
    Restricted {
        path: "aws_smithy_*",
        by: &["aws"],
        instead: "use types of rollout/src/model; aws/src converts them",
    },
    Restricted {
        path: "aws_*",
        by: &["aws"],
        instead: "use types of rollout/src/model; aws/src converts them",
    },
    Restricted {
        path: "octocrab",
        by: &["github"],
        instead: "use src/github, which calls GitHub's API over net::Transport",
    },
    Restricted {
        path: "reqwest",
        by: &["net"],
        instead: "send requests through cutover_net::Transport, the only HTTP client",
    },
    Restricted {
        path: "std::time::Instant",
        by: &["net"],
        instead: "use tokio::time::Instant, which tests can pause; net::Stopwatch measures",
    },
    Restricted {
        path: "tokio::time::Instant",
        by: &["net", "runner"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "Instant::now",
        by: &["net", "runner"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "SystemTime::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
    // The command line is where the machine's time enters.
    Restricted {
        path: "Timestamp::now",
        by: &["net", "cli"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "Zoned::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
];
