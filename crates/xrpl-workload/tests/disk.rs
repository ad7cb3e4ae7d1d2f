//! The disk under the whole program: full in the middle of a run, and not to be written.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::process::Command;

use common::program;
use outside::{audit, node, output, report, run, texts};

/// What is not in the store is not sent, so the load ends, with a word on how to go on; after that a
/// run with room takes up what was open, and store and ledger agree.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_run_with_a_clear_error_and_loses_nothing() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    // No file may grow past 1 MiB: the write fails, as on a full disk.
    let plain = program(folder.path());
    let mut limited = Command::new("bash");
    limited.current_dir(folder.path());
    for (name, _) in plain.get_envs() {
        limited.env_remove(name);
    }
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""]);
    limited.arg(plain.get_program()).args(run(&node, "full", "60s"));
    let ended = output(limited).await;
    let text = texts(&ended);
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(text.contains("the load stopped, for what is not in the store is not sent"), "{text}");
    assert!(text.contains("start again"), "{text}");

    let mut again = program(folder.path());
    again.args(run(&node, "full", "2s"));
    let ended = output(again).await;
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
    let mut audited = program(folder.path());
    audited.args(audit(&node, "full"));
    let report = report(&output(audited).await);
    assert_eq!(report["equal"], true, "{report}");
    assert!(report["in_ledgers"].as_u64().unwrap() > 200, "{report}");
}

/// A directory that cannot be written: a run says so and sends nothing; a finished run in it can be
/// audited. Rights do not hold root back, so the program runs as nobody then.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn in_a_directory_that_cannot_be_written_nothing_runs_and_a_finished_run_is_audited() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    };
    const NOBODY: u32 = 65_534;
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    let mut first = program(folder.path());
    first.args(run(&node, "read only", "1s"));
    let ended = output(first).await;
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));

    let root = std::fs::metadata(folder.path()).unwrap().uid() == 0;
    let copy = folder.path().join("program");
    std::fs::copy(program(folder.path()).get_program(), &copy).unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let rights = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if root {
            chown(&path, Some(NOBODY), None).unwrap();
        }
        rights(&path, if path == copy || path.is_dir() { 0o555 } else { 0o444 });
    }
    rights(folder.path(), 0o555);
    let powerless = |directory: &std::path::Path, args: Vec<String>| {
        let mut command = Command::new(&copy);
        command.current_dir(directory).args(args);
        for (name, _) in program(directory).get_envs() {
            command.env_remove(name);
        }
        if root {
            command.uid(NOBODY);
        }
        command
    };
    let ended = output(powerless(folder.path(), audit(&node, "read only"))).await;
    assert_eq!(report(&ended)["equal"], true, "{}", texts(&ended));
    let ended = output(powerless(&folder.path().join("empty"), run(&node, "new", "1s"))).await;
    assert_eq!(ended.status.code(), Some(3), "{}", texts(&ended));
    assert!(texts(&ended).contains("run.db"), "{}", texts(&ended));
    rights(folder.path(), 0o755);
}
