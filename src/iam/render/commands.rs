//! Both documents as files, and the AWS CLI commands that create the role from them: a text that a shell takes whole.

use super::{DeployRole, issuer};
use crate::iam::{AUDIENCE, Attachment, shell_word, trust};

/// A document that the commands read.
struct File {
    name: String,
    what: &'static str,
    text: String,
}

/// The whole text. Lines that are no command are comments.
pub fn text(role: &DeployRole) -> String {
    let attachment = Attachment::of(&role.permissions);
    let mut files = vec![File {
        name: format!("{}-trust.json", role.name),
        what: "The trust policy: whose tokens may become the role.",
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
        what: "The permission policy: what the role may do.",
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
        Some(false) => all.push(("GitHub's OIDC provider, once per account.", create)),
        None => {
            let provider = &role.trust.provider;
            let get = [
                "get-open-id-connect-provider",
                "--open-id-connect-provider-arn",
                provider.as_str(),
            ];
            let unless_there = format!("{} > /dev/null || {create}", aws(&get));
            all.push(("GitHub's OIDC provider, unless the account has it.", unless_there));
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
        Some(true) => ("The role exists: its trust policy is replaced.", aws(&update)),
        Some(false) => ("The role.", aws(&create)),
        None => {
            let either = format!("{} || {}", aws(&create), aws(&update));
            ("The role; where it exists, its trust policy is replaced.", either)
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
            all.push(("What it may do.", aws(&put)));
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
            "A part of what it may do: too much for an inline policy. Where the policy exists, it gets a new version (IAM keeps 5).",
            either,
        ));
        all.push(("The part, attached to the role.", attach));
    }
    all
}

/// The ARN that a managed policy of this name gets: the provider's account is the role's.
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
