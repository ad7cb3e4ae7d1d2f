//! A run's report in Chromium, with the steps of `browser/report.mjs`. Needs what `browser.rs` needs;
//! without it it says `skipped`. With `UPDATE_SCREENSHOT=1` the run takes a minute and the picture of
//! `docs/runs.md` is made anew.

mod common;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use common::{Running, get};
use tokio::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_in_a_browser() {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let libraries = target.join("test-libraries");
    let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let chromium = given.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists());
    let modules = libraries.join("node_modules");
    let (Some(chromium), true, true) =
        (chromium, modules.join("playwright-core").is_dir(), modules.join("axe-core").is_dir())
    else {
        return println!("skipped: Chromium, playwright-core or axe-core is missing");
    };
    let update = std::env::var_os("UPDATE_SCREENSHOT").is_some();
    let time = if update { Duration::from_secs(60) } else { Duration::from_secs(4) };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("runs.db").display().to_string();
    let settings = [
        ("store", store.as_str()),
        ("name", "nightly"),
        ("tps", "40"),
        ("seed", "report"),
        ("accounts", "60"),
    ];
    let run = Running::start(&settings).await;
    tokio::time::sleep(time).await;
    let ended = run.end().await;
    assert!(ended.failures.is_empty(), "{:?}", ended.failures);
    // Another instance on the same store tells of it.
    let other = Running::start(&[("store", &store), ("tps", "1")]).await;
    let record = get(other.api, "/runs/nightly").await;
    let report = get(other.api, "/runs/nightly/report").await;
    other.end().await;
    let out = target.join("browser");
    std::fs::create_dir_all(&out).unwrap();
    let out = out.canonicalize().unwrap();
    let (html, json) = (out.join("report.html"), out.join("report.json"));
    assert!(report.text.len() < 2 << 20, "{} bytes", report.text.len());
    std::fs::write(&html, report.text).unwrap();
    std::fs::write(&json, record.text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/report.mjs");
    let output = Command::new("node")
        .arg(script)
        .env("REPORT", &html)
        .env("RECORD", &json)
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
    if update {
        std::fs::copy(out.join("report-light.png"), root().join("docs/report.png")).unwrap();
    }
}

/// A report's colours are those of the page.
#[test]
fn a_report_looks_as_the_page_does() {
    let colours = |css: &str| {
        let lines = css.lines().filter(|line| line.trim_start().starts_with("--"));
        lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let page = colours(include_str!("../src/dashboard/style.css"));
    assert_eq!(page.len(), 6);
    assert_eq!(page, colours(include_str!("../src/report/report.css")));
}
