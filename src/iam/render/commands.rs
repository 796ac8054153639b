//! A shell script that writes both documents to files and creates the role from them with AWS CLI commands.

use super::{DeployRole, issuer};
use crate::iam::{AUDIENCE, Attachment, shell_word, trust};

/// A file that the commands read.
struct File {
    name: String,
    what: &'static str,
    text: String,
}

/// Returns the script. Lines that are not commands are comments.
pub fn text(role: &DeployRole) -> String {
    let attachment = Attachment::of(&role.permissions);
    let mut files = vec![File {
        name: format!("{}-trust.json", role.name),
        what: "The trust policy: which tokens may assume the role.",
        text: trust(&role.trust).pretty(),
    }];
    let permissions = match &attachment {
        Attachment::Inline(policy) => std::slice::from_ref(policy),
        Attachment::Managed(parts) => parts,
    };
    let inline = matches!(attachment, Attachment::Inline(_));
    files.extend(permissions.iter().enumerate().map(|(n, policy)| File {
        name: match inline {
            true => format!("{}-permissions.json", role.name),
            false => format!("{}-permissions-{}.json", role.name, n + 1),
        },
        what: "The permissions policy: what the role is allowed to do.",
        text: policy.pretty(),
    }));
    let mut text = String::new();
    for File { name, what, text: document } in &files {
        let name = shell_word(name);
        text.push_str(&format!("# {what}\ncat > {name} <<'JSON'\n{document}\nJSON\n\n"));
    }
    for (comment, command) in commands(role, &files, inline) {
        text.push_str(&format!("# {comment}\n{command}\n"));
    }
    text
}

fn commands(role: &DeployRole, files: &[File], inline: bool) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let url = issuer();
    let create =
        aws(&["create-open-id-connect-provider", "--url", &url, "--client-id-list", AUDIENCE]);
    match role.provider_exists {
        Some(true) => {}
        Some(false) => {
            all.push(("GitHub's OIDC provider, of which an account can have only one.", create));
        }
        None => {
            let provider = &role.trust.provider;
            let get = [
                "get-open-id-connect-provider",
                "--open-id-connect-provider-arn",
                provider.as_str(),
            ];
            let unless_there = format!("{} > /dev/null || {create}", aws(&get));
            all.push(("GitHub's OIDC provider, unless the account already has it.", unless_there));
        }
    }
    let mut files = files.iter().map(|file| format!("file://{}", file.name));
    let trust = files.next().unwrap_or_default();
    let name = role.name.as_str();
    let update = ["update-assume-role-policy", "--role-name", name, "--policy-document", &trust];
    let mut create = vec!["create-role", "--role-name", name];
    if role.path != "/" {
        create.extend(["--path", &role.path]);
    }
    create.extend(["--assume-role-policy-document", &trust]);
    all.push(match role.role_exists {
        Some(true) => ("The role already exists: replace its trust policy.", aws(&update)),
        Some(false) => ("The role.", aws(&create)),
        None => {
            let either = format!("{} || {}", aws(&create), aws(&update));
            ("The role. If it already exists, its trust policy is replaced.", either)
        }
    });
    for (n, file) in files.enumerate() {
        if inline {
            let put = [
                "put-role-policy",
                "--role-name",
                name,
                "--policy-name",
                "cutover",
                "--policy-document",
                &file,
            ];
            all.push(("The permissions of the role.", aws(&put)));
            continue;
        }
        let policy = format!("{name}-{}", n + 1);
        let create = aws(&["create-policy", "--policy-name", &policy, "--policy-document", &file]);
        let arn = managed_arn(role, &policy);
        let replace = aws(&[
            "create-policy-version",
            "--policy-arn",
            &arn,
            "--policy-document",
            &file,
            "--set-as-default",
        ]);
        let attach = aws(&["attach-role-policy", "--role-name", name, "--policy-arn", &arn]);
        let either = format!("{create} || {replace}");
        all.push((
            "A managed policy with part of the permissions, which exceed an inline policy. If it exists, it gets a new version (IAM keeps 5).",
            either,
        ));
        all.push(("Attach the managed policy to the role.", attach));
    }
    all
}

/// Returns the ARN of a managed policy of this name, in the account of the OIDC provider.
fn managed_arn(role: &DeployRole, policy: &str) -> String {
    let mut parts = role.trust.provider.split(':');
    let partition = parts.nth(1).unwrap_or("aws");
    let account = parts.nth(2).unwrap_or_default();
    format!("arn:{partition}:iam::{account}:policy/{policy}")
}

fn aws(arguments: &[&str]) -> String {
    let words = arguments.iter().map(|argument| shell_word(argument));
    format!("aws iam {}", words.collect::<Vec<_>>().join(" "))
}
