//! A name for a service that has none yet.

/// Characters of a service's name in `cutover.yaml`.
const LONGEST: usize = 40;

/// What a colour or a role is called in the names of groups.
const ROLES: [&str; 14] = [
    "blue", "green", "a", "b", "1", "2", "main", "canary", "stable", "asg", "group", "fleet",
    "live", "idle",
];

/// Names a service after its groups: what their names have in common, without colours. Where that leaves nothing that
/// `cutover.yaml` accepts, the first of `others` that does, such as the launch template's or the load balancer's name.
pub fn service_name(groups: &[&str], others: &[&str]) -> String {
    let common = match groups {
        [one] => words(one),
        [first, rest @ ..] => {
            let rest: Vec<Vec<String>> = rest.iter().map(|name| words(name)).collect();
            let shared = |word: &String| rest.iter().all(|other| other.contains(word));
            words(first).into_iter().filter(shared).collect()
        }
        [] => Vec::new(),
    };
    let others = others.iter().map(|name| words(name));
    let named = std::iter::once(common).chain(others).map(|words| slug(&words));
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "service".to_owned())
}

/// The words of a name in lower case: letters and digits of ASCII, whatever stands between them.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The words as one name, without those that say a role, unless nothing else is left.
fn slug(words: &[String]) -> String {
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !ROLES.contains(word)).collect();
    let mut name = if plain.is_empty() { words.join("-") } else { plain.join("-") };
    name.truncate(LONGEST);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_after_its_groups() {
        assert_eq!(service_name(&["news-blue", "news-green"], &[]), "news");
        assert_eq!(service_name(&["shop-a", "shop-b"], &["x"]), "shop");
        assert_eq!(service_name(&["web-asg"], &[]), "web");
        assert_eq!(
            service_name(&["Prod/Web API (blue)", "Prod/Web API (green)"], &[]),
            "prod-web-api"
        );
    }

    #[test]
    fn where_groups_say_nothing_the_next_name_is_taken() {
        assert_eq!(
            service_name(&["뉴스 블루", "뉴스 그린"], &["뉴스", "news-template"]),
            "news-template"
        );
        assert_eq!(service_name(&["left", "right"], &["web"]), "web");
        assert_eq!(service_name(&["뉴스"], &[]), "service");
        assert_eq!(service_name(&["blue", "green"], &["green"]), "green");
    }

    #[test]
    fn a_name_fits_into_the_configuration() {
        let long = "a-very-long-name-of-a-group-that-nobody-would-give-to-one";
        let name = service_name(&[long], &[]);
        assert!(name.len() <= LONGEST && !name.ends_with('-'), "{name}");
    }
}
