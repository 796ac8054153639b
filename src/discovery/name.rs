//! Suggests a name for a service.

/// The maximum length of a service name in `cutover.yaml`.
const LONGEST: usize = 40;

/// Words for a color or a role in names of groups.
const ROLES: [&str; 14] = [
    "blue", "green", "a", "b", "1", "2", "main", "canary", "stable", "asg", "group", "fleet",
    "live", "idle",
];

/// Names a service after its groups: the words that their names have in common, without colors. If that leaves
/// nothing valid, uses the first valid one of `others`, such as the name of the launch template or load
/// balancer.
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

/// Splits a name into lowercase words of ASCII letters and digits.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Joins words to a name, without color and role words unless nothing else is left.
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
