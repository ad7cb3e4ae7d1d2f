//! The documents: every link within the repository leads somewhere, and the book has every page.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The pages of the book.
fn pages(docs: &Path) -> Vec<PathBuf> {
    [markdown_in(docs), markdown_in(&docs.join("reference"))].concat()
}

/// Text without what stands in code, where brackets are no links.
fn without_code(text: &str) -> String {
    let mut kept = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let parts = line.split('`').enumerate();
            kept.extend(parts.filter(|(n, _)| n % 2 == 0).map(|(_, part)| part));
            kept.push('\n');
        }
    }
    kept
}

/// Targets of `[text](target)` and `![text](target)`.
fn links(text: &str) -> Vec<String> {
    let text = without_code(text);
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(|target| target.split_whitespace().next().unwrap_or("").to_owned()).collect()
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().replace('`', "").to_lowercase();
    let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let root = root();
    let pages = [markdown_in(&root), pages(&root.join("docs"))].concat();
    assert!(pages.len() > 16, "{pages:?}");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let found = match fs::read_to_string(&target) {
                Ok(text) => fragment.is_empty() || anchors(&text).contains(fragment),
                // A folder, or a picture.
                Err(_) => target.exists(),
            };
            // mdBook takes a link to Markdown for one to a page of its own, which what is beside it is not.
            let foreign = page.starts_with(root.join("docs"))
                && path.ends_with(".md")
                && !target.canonicalize().is_ok_and(|of| of.starts_with(root.join("docs")));
            if !found || foreign {
                wrong.push(format!("{}: {link}", page.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(checked > 20, "{checked} links are too few to be all");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_book_has_every_page() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<_> = links(&summary).into_iter().collect();
    let there = pages(&docs).into_iter().filter_map(|path| {
        let name = path.strip_prefix(&docs).ok()?.to_str()?.to_owned();
        (name != "SUMMARY.md").then_some(name)
    });
    assert_eq!(listed, there.collect());
}

#[test]
fn what_is_a_link_and_what_is_not() {
    let text = "[a](b.md#c-d) `[x](y)` ![p](q.png \"title\")\n```\n[n](o)\n```\n";
    assert_eq!(links(text), ["b.md#c-d", "q.png"]);
    assert_eq!(anchor("## What `shadow` cannot do, yet"), "what-shadow-cannot-do-yet");
}
