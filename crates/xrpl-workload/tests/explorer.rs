//! The explorer of a ledger to develop on in Chromium, with the steps of `browser/explorer.mjs`. Needs
//! what `browser.rs` needs; without it it says `skipped`.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;
use xrpl_standalone::{Closing, Standalone};

fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_explorer_in_a_browser() {
    let libraries = target().join("test-libraries");
    let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let chromium = given.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists());
    let modules = libraries.join("node_modules");
    let (Some(chromium), true, true) =
        (chromium, modules.join("playwright-core").is_dir(), modules.join("axe-core").is_dir())
    else {
        return println!("skipped: Chromium, playwright-core or axe-core is missing");
    };
    let ledger = Standalone::builder().closing(Closing::Manual).start().await.unwrap();
    let out = target().join("browser");
    std::fs::create_dir_all(&out).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/explorer.mjs");
    let output = Command::new("node")
        .arg(script)
        .env("BASE", ledger.rpc_url())
        .env("OUT", &out)
        .env("CHROMIUM", &chromium)
        .env("TEST_LIBRARIES", libraries.canonicalize().unwrap())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), output).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("all steps passed"), "{text}");
    ledger.shutdown().await;
}

/// Its colours are those of the run's page.
#[test]
fn the_explorer_looks_as_the_page_does() {
    let page = include_str!("../src/dashboard/style.css");
    let explorer = include_str!("../../xrpl-standalone/src/server/explorer/style.css");
    let colours = |css: &str| {
        let lines = css.lines().filter(|line| line.trim_start().starts_with("--"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(colours(page).len(), 6);
    assert_eq!(colours(page), colours(explorer));
}
