//! Modules depend one way: reads a crate's sources, notes which file names things of which other
//! one, and finds circles. What a parent only passes on counts as its child's; comments and unit
//! tests do not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

type Module = Vec<String>;
/// What a file names, as paths from the crate's root, and which of that it passes on.
type Source = (Vec<Module>, Vec<Module>);
type Sources = BTreeMap<Module, Source>;

/// A circle among the files of a folder of `src` ("" for all), as a text; none if there is none.
pub(crate) fn circle(src: &Path, folder: &str) -> Option<String> {
    let mut texts = BTreeMap::new();
    let root: Module = folder.split('/').filter(|name| !name.is_empty()).map(Into::into).collect();
    collect(&src.join(folder), &root, &mut texts);
    let sources: Sources =
        texts.iter().map(|(at, text)| (at.clone(), read(at, text, &texts))).collect();
    let mut graph = BTreeMap::<&Module, BTreeSet<Module>>::new();
    for (from, (paths, _)) in &sources {
        let to = graph.entry(from).or_default();
        paths.iter().for_each(|path| resolve(path, &sources, to));
        to.retain(|to| !to.starts_with(from));
    }
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 20, "too little in {src:?}");
    // What depends on nothing that is left is in no circle. All that stays leads into one.
    let is_free =
        |graph: &BTreeMap<_, _>, to: &BTreeSet<_>| !to.iter().any(|to| graph.contains_key(to));
    while let Some(free) = graph.iter().find(|(_, to)| is_free(&graph, to)).map(|(at, _)| *at) {
        graph.remove(free);
    }
    let mut way = vec![*graph.keys().next()?];
    loop {
        let next = graph[way[way.len() - 1]].iter().find(|to| graph.contains_key(to))?;
        if let Some(begin) = way.iter().position(|at| *at == next) {
            let circle = way[begin..].iter().chain([&next]).map(|at| at.join("::"));
            return Some(circle.collect::<Vec<_>>().join(" -> "));
        }
        way.push(next);
    }
}

fn collect(folder: &Path, at: &Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let below = [&at[..], &[stem.to_owned()]].concat();
        if path.is_dir() {
            collect(&path, &below, texts);
        } else if path.extension().is_some_and(|e| e == "rs") && stem != "tests" {
            let at = if ["mod", "lib"].contains(&stem) { at.clone() } else { below };
            texts.insert(at, fs::read_to_string(&path).unwrap());
        }
    }
}

fn read(at: &Module, text: &str, known: &BTreeMap<Module, String>) -> Source {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let text: String =
        text.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect();
    let (mut paths, mut passed_on) = Source::default();
    for (start, _) in text.match_indices(is_word) {
        let (front, text) = text.split_at(start);
        let (first, mut rest) = text.split_at(text.find(|c| !is_word(c)).unwrap_or(text.len()));
        if front.ends_with(|c| is_word(c) || c == ':') || front.ends_with("(in ") {
            continue;
        }
        let line = front.rsplit('\n').next().unwrap().trim();
        let child = [&at[..], &[first.to_owned()]].concat();
        let base = match first {
            "crate" if rest.starts_with("::") => Module::new(),
            "super" if rest.starts_with("::") => at[..at.len().saturating_sub(1)].to_vec(),
            _ if line.ends_with("use") && known.contains_key(&child) => child,
            _ => continue,
        };
        let before = paths.len();
        expand(base, &mut rest, &mut paths);
        if line.starts_with("pub") && line.ends_with("use") {
            passed_on.extend_from_slice(&paths[before..]);
        }
    }
    (paths, passed_on)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths of a tree such as `::a::{b, c::d as e}`; `text` ends up behind it.
fn expand(mut base: Module, text: &mut &str, found: &mut Vec<Module>) {
    while let Some(rest) = text.strip_prefix("::") {
        *text = rest;
        if !rest.starts_with('{') {
            word(text, &mut base);
            continue;
        }
        while text.starts_with(['{', ',']) {
            *text = text[1..].trim_start();
            let mut path = base.clone();
            word(text, &mut path);
            if !text.starts_with('}') || path != base {
                expand(path, text, found);
            }
            *text = text.trim_start_matches(|c| c != ',' && c != '}');
        }
        *text = text.get(1..).unwrap_or_default();
        return;
    }
    found.push(base);
}

fn word(text: &mut &str, path: &mut Module) {
    let (name, rest) = text.split_at(text.find(|c| !is_word(c)).unwrap_or(text.len()));
    *text = rest;
    match name {
        "" | "self" => {}
        "super" => drop(path.pop()),
        name => path.push(name.to_owned()),
    }
}

/// The files that have what a path names: of a whole module also those that it passes on.
fn resolve(path: &[String], sources: &Sources, to: &mut BTreeSet<Module>) {
    let of_module = |at: &usize| sources.get(&path[..*at]).map(|source| (*at, source));
    let Some((at, (_, passed_on))) = (0..=path.len()).rev().find_map(|at| of_module(&at)) else {
        return;
    };
    let name = path.get(at);
    let is_passed_on = |to: &&Module| {
        to.starts_with(&path[..at]) && to.len() > at + 1 && (name.is_none() || to.last() == name)
    };
    let passed_on: Vec<_> = passed_on.iter().filter(is_passed_on).collect();
    passed_on.iter().for_each(|path| resolve(path, sources, to));
    if name.is_none() || passed_on.is_empty() {
        to.insert(path[..at].to_vec());
    }
}
