//! No files of the lab import each other in a circle: a file can be read, and changed, with only what is below it in
//! mind. World is below the services' operations, and what dispatches to these is above.
//!
//! A file imports the file that a path names, and the one that defines what a `pub use` there hands on. Tests, and
//! what only they use, don't count.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used)]

#[path = "../../tests/support/tokens.rs"]
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use tokens::{end_of_item, is_cfg_test, is_double_colon, is_punct};

/// The greatest number of files that may depend on each other.
const LARGEST: usize = 1;

/// What the test has to know about one source file.
#[derive(Debug, Default)]
struct Source {
    /// The path of its module: `["world", "time"]`.
    module: Vec<String>,
    /// What it imports, by the name that it has here.
    imports: Vec<(String, Vec<String>)>,
    /// The paths that it mentions elsewhere.
    mentions: Vec<Vec<String>>,
}

/// The arrows between files, each with the names that the first takes from the second.
type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

#[test]
fn no_files_import_each_other_in_a_circle() {
    let arrows = arrows(&sources());
    let complaints: Vec<String> = circles(&arrows)
        .iter()
        .filter(|circle| circle.len() > LARGEST)
        .map(|circle| complaint(circle, &arrows))
        .collect();
    assert!(
        complaints.is_empty(),
        "\nMove what two files share into a third below both, or the function that calls up to the file above:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn a_circle_is_found_through_reexports_and_paths() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        (
            "a/mod.rs",
            "mod one; pub use one::One; pub struct Own; fn up() -> crate::c::Third { loop {} }",
        ),
        (
            "a/one.rs",
            "use crate::b::{self as other, Two}; #[cfg(test)] mod tests { use crate::d; }",
        ),
        ("b.rs", "pub(in crate::d) struct Two; fn f() { super::a::One::new(\"crate::d\") }"),
        ("c.rs", "use std::fmt; pub struct Third; // crate::a::Own\n"),
        ("d.rs", "use crate::a::*;"),
    ];
    let sources = files.iter().map(|(name, text)| (String::from(*name), read(name, text)));
    let arrows = arrows(&sources.collect());
    let to = |from: &str| arrows[from].keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(to("a/mod.rs"), ["a/one.rs", "c.rs"]);
    assert_eq!(to("a/one.rs"), ["b.rs"]);
    assert_eq!(to("b.rs"), ["a/mod.rs", "a/one.rs"]);
    assert_eq!(to("d.rs"), ["a/mod.rs"]);
    assert_eq!(circles(&arrows), [BTreeSet::from(["a/mod.rs", "a/one.rs", "b.rs"])]);
}

/// Returns the files of the lab that are not tests, by their path in `src`.
fn sources() -> BTreeMap<String, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let is_test = path.iter().any(|part| part == "tests");
            let of_tests = path.ends_with("tests.rs") || path.ends_with("fixture.rs");
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !is_test
                && !of_tests
            {
                let name = path.to_str().unwrap().replace('\\', "/");
                let source = read(&name, &fs::read_to_string(root.join(&path)).unwrap());
                found.insert(name, source);
            }
        }
    }
    assert!(found.len() > 100, "the sources were not found");
    found
}

/// Reads the file called `name`.
fn read(name: &str, text: &str) -> Source {
    let module = name.trim_end_matches(".rs").trim_end_matches("/mod").split('/');
    let module = module.filter(|part| *part != "lib").map(str::to_owned).collect();
    let mut source = Source { module, ..Source::default() };
    walk(text.parse().unwrap(), &mut source);
    source
}

/// Collects what `stream` imports and mentions.
fn walk(stream: TokenStream, source: &mut Source) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            at = end_of_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Ident(word) if *word == "use" => {
                let end = end_of_item(&tokens, at);
                let tree: TokenStream = tokens[at + 1..end].iter().cloned().collect();
                imports(tree, &[], &mut source.imports);
                at = end;
            }
            // A visibility is no import: `pub(in crate::services)`.
            TokenTree::Ident(word) if *word == "pub" => {
                let limited = matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                at += if limited { 2 } else { 1 };
            }
            TokenTree::Ident(_) => {
                let (path, end) = path(&tokens, at);
                if path.len() > 1 {
                    source.mentions.push(path);
                }
                at = end;
            }
            TokenTree::Group(group) => {
                walk(group.stream(), source);
                at += 1;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
        }
    }
}

/// Returns the path that starts at `at`, and where it ends.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(step)) = tokens.get(at) {
        path.push(step.to_string());
        at += 1;
        if !is_double_colon(&tokens[at..])
            || !matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)))
        {
            break;
        }
        at += 2;
    }
    (path, at)
}

/// Collects the names that a tree of `use` imports, with their paths.
fn imports(tree: TokenStream, prefix: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let tokens: Vec<TokenTree> = tree.into_iter().collect();
    for branch in tokens.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
        let (steps, end) = path(branch, 0);
        if branch.is_empty() {
            // A comma ends the list.
            continue;
        }
        let mut path = [prefix, &steps].concat();
        match branch.iter().skip(end).find(|token| !is_punct(token, ':')) {
            Some(TokenTree::Group(group)) => imports(group.stream(), &path, found),
            Some(star) if is_punct(star, '*') => {
                path.push("*".to_owned());
                found.push(("*".to_owned(), path));
            }
            other => {
                if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                    path.pop();
                }
                let alias = matches!(other, Some(TokenTree::Ident(word)) if *word == "as");
                let alias = branch.last().filter(|_| alias).map(ToString::to_string);
                if let Some(name) = alias.or_else(|| path.last().cloned()) {
                    found.push((name, path));
                }
            }
        }
    }
}

/// Resolves every import and every mention.
fn arrows(sources: &BTreeMap<String, Source>) -> Arrows {
    let mut arrows = Arrows::new();
    for (name, source) in sources {
        let imported = source.imports.iter().map(|(_, path)| path);
        for path in imported.chain(&source.mentions) {
            let mut files = BTreeSet::new();
            resolve(sources, source, path, &mut files, 0);
            files.remove(name);
            for file in files {
                let taken = arrows.entry(name.clone()).or_default().entry(file).or_default();
                taken.extend(path.last().cloned());
            }
        }
    }
    arrows
}

/// Adds the files that `path`, written in the file `from`, leads to: that of the module which it names and, if that
/// one only hands on what it names, those that this leads to.
fn resolve(
    sources: &BTreeMap<String, Source>,
    from: &Source,
    path: &[String],
    files: &mut BTreeSet<String>,
    depth: usize,
) {
    // Two modules may hand on each other's glob imports.
    let Some(first) = path.first().filter(|_| depth < 16) else { return };
    let file = |module: &[String]| sources.iter().find(|(_, source)| source.module == module);
    let supers = path.iter().take_while(|step| *step == "super").count();
    let (mut module, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (from.module.clone(), &path[1..]),
        "super" => {
            (from.module[..from.module.len().saturating_sub(supers)].to_vec(), &path[supers..])
        }
        _ if file(&[&from.module[..], &path[..1]].concat()).is_some() => {
            (from.module.clone(), path)
        }
        _ => {
            for (_, path_of_it) in from.imports.iter().filter(|(name, _)| name == first) {
                if path_of_it != path {
                    resolve(sources, from, &[path_of_it, &path[1..]].concat(), files, depth + 1);
                }
            }
            return;
        }
    };
    while let Some(step) = rest.first() {
        let Some((name, here)) = file(&module) else { return };
        module.push(step.clone());
        let is_module = file(&module).is_some();
        // What ends a path may be a function with the name of a module.
        if !is_module || rest.len() == 1 {
            for (_, handed_on) in here.imports.iter().filter(|(name, _)| name == step) {
                files.insert(name.clone());
                resolve(sources, here, &[handed_on, &rest[1..]].concat(), files, depth + 1);
            }
        }
        if !is_module {
            files.insert(name.clone());
            return;
        }
        rest = &rest[1..];
    }
    files.extend(file(&module).map(|(name, _)| name.clone()));
}

/// Returns the sets of files of which each depends on every other, largest first.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (file.as_str(), reach(arrows, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reaches) in &reached {
        let back = |other: &&&str| reached.get(**other).is_some_and(|all| all.contains(file));
        let circle: BTreeSet<&str> = reaches.iter().filter(back).copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let mut circles: Vec<_> = circles.into_iter().collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

fn reach<'a>(arrows: &'a Arrows, file: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        let targets = arrows.get(file).into_iter().flat_map(BTreeMap::keys);
        next.extend(targets.map(String::as_str).filter(|target| reached.insert(*target)));
    }
    reached
}

/// Names the files of a circle and the arrows between them.
fn complaint(circle: &BTreeSet<&str>, arrows: &Arrows) -> String {
    let mut text = format!("{} files import each other in a circle:", circle.len());
    for from in circle {
        for (to, taken) in arrows[*from].iter().filter(|(to, _)| circle.contains(to.as_str())) {
            let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
            text += &format!("\n  {from} -> {to}: {}", taken.join(", "));
        }
    }
    text
}
