//! A web server that user data installs and starts: nginx on Amazon Linux, from a shell script.

use std::collections::BTreeSet;

/// The document root of the package (`root` in its nginx.conf).
const ROOT: &str = "/usr/share/nginx/html/";

/// Returns the paths at which nginx serves a page after this script, if it serves at all: the script
/// must install nginx and then start it. Installing the package neither starts nor enables its unit, by
/// Fedora's packaging guidelines.
///
/// There is a page at `/`, the package's own, and one for each file that the script writes to the
/// document root with `>` or `tee`. Commands are recognized by their words: what the script would do
/// under a condition, it does here.
pub(super) fn pages(script: &str) -> Option<BTreeSet<String>> {
    let mut installed = false;
    let mut started = false;
    for command in commands(script) {
        installed |= installs(&command);
        started |= installed && starts(&command);
    }
    started.then(|| written_pages(script))
}

/// Returns the words of each command, without `sudo`.
fn commands(script: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = script.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| line.split(['&', ';', '|'])).map(|command| {
        let words = command.split_whitespace().take_while(|word| !word.starts_with('#'));
        words.skip_while(|word| *word == "sudo").collect()
    })
}

fn installs(command: &[&str]) -> bool {
    let by = command
        .first()
        .is_some_and(|first| matches!(*first, "dnf" | "yum" | "microdnf" | "amazon-linux-extras"));
    by && command.contains(&"install")
        && command.iter().any(|word| matches!(*word, "nginx" | "nginx1"))
}

fn starts(command: &[&str]) -> bool {
    let has = |word: &str| command.contains(&word);
    let named = has("nginx") || has("nginx.service");
    match command.first() {
        Some(&"systemctl") => {
            named && (has("start") || has("restart") || (has("enable") && has("--now")))
        }
        Some(&"service") => named && (has("start") || has("restart")),
        Some(&"nginx" | &"/usr/sbin/nginx") => true,
        _ => false,
    }
}

/// Returns `/` and the paths of the files that are written to the document root.
fn written_pages(script: &str) -> BTreeSet<String> {
    let mut pages = BTreeSet::from(["/".to_owned()]);
    let mut before = "";
    for word in script.split_whitespace() {
        let target = word.trim_start_matches('>');
        let redirects = target.len() < word.len() || matches!(before, ">" | ">>" | "tee" | "-a");
        before = word;
        let Some(path) = target.trim_matches(['"', '\'', ';']).strip_prefix(ROOT) else { continue };
        if redirects {
            pages.insert(format!("/{path}"));
            pages.extend(path.strip_suffix("index.html").map(|folder| format!("/{folder}")));
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALLED: &str = "#!/bin/bash\nyum update -y\nyum install -y nginx\n";

    fn serves(rest: &str) -> bool {
        pages(&format!("{INSTALLED}{rest}\n")).is_some()
    }

    #[test]
    fn it_serves_once_it_is_started() {
        for rest in [
            "systemctl start nginx\nsystemctl enable nginx",
            "sudo systemctl enable --now nginx.service # at every boot, too",
            "systemctl enable nginx && systemctl restart nginx",
            "service nginx start",
        ] {
            assert!(serves(rest), "{rest}");
        }
    }

    #[test]
    fn installed_and_never_started_it_does_not_serve() {
        for rest in
            ["", "systemctl enable nginx", "# systemctl start nginx", "systemctl start httpd"]
        {
            assert!(!serves(rest), "{rest}");
        }
        assert_eq!(pages("#!/bin/bash\nsystemctl enable --now nginx\n"), None);
        assert_eq!(pages("systemctl start nginx\ndnf install -y nginx\n"), None);
    }

    #[test]
    fn its_pages_are_those_that_the_script_writes() {
        let script = "dnf install -y nginx
            echo ok >/usr/share/nginx/html/healthz
            echo '<h1>Hello</h1>' | sudo tee /usr/share/nginx/html/shop/index.html
            ls /usr/share/nginx/html/nothing
            systemctl enable --now nginx";
        let expected = ["/", "/healthz", "/shop/", "/shop/index.html"].map(str::to_owned);
        assert_eq!(pages(script), Some(BTreeSet::from(expected)));
    }
}
