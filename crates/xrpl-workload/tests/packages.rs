//! The npm and the PyPI package: built with this program in them, installed, and their own tests run:
//! Node's, Vitest's, Jest's, pytest's. Needs `scripts/install-test-libraries`; what is missing of it
//! is skipped, and said to be.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn done(what: &str, command: &mut Command) -> String {
    // What they start is the carried program and nothing else of this machine.
    command.env_remove("XRPL_STANDALONE_BIN").env("CI", "true").env("NO_COLOR", "1");
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}:\n{text}");
    text
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &there),
            false => drop(fs::copy(entry.path(), there).unwrap()),
        }
    }
}

#[test]
fn the_packages_carry_the_program_and_their_fixtures_work() {
    let libraries = target().join("test-libraries");
    let python = libraries.join("venv/bin/python");
    let has = |module: &str| {
        let mut ask = Command::new(&python);
        ask.args(["-c", &format!("import {module}")]).output().is_ok_and(|o| o.status.success())
    };
    let (js, py) =
        (libraries.join("node_modules/vitest").is_dir(), has("xrpl, pytest, setuptools, wheel"));
    if !js || !py {
        println!("skipped: Vitest or pytest is not installed (scripts/install-test-libraries)");
        return;
    }
    let node = done("node --version", Command::new("node").arg("--version"));
    let major = node.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < 20) {
        println!("skipped: Vitest needs Node.js 20, and there is {node}");
        return;
    }
    // The program of a test is a hundred megabytes: what is packed starts it.
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let text = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_xrpl-workload"));
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut package = Command::new(root().join("scripts/package"));
    let packed = done("scripts/package", package.arg(&program).env("PYTHON", &python));
    let named = |ending: &str| {
        let name = packed.lines().find(|line| line.ends_with(ending));
        target().join("packages").join(name.unwrap_or_else(|| panic!("no {ending}: {packed}")))
    };

    let installed = libraries.join("node_modules/xrpl-standalone");
    let _ = fs::remove_dir_all(&installed);
    fs::create_dir_all(&installed).unwrap();
    let mut unpack = Command::new("tar");
    unpack.arg("xzf").arg(named(".tgz")).arg("-C").arg(&installed).args(["--strip", "1"]);
    done("tar", &mut unpack);
    assert!(installed.join("bin/xrpl-workload").is_file() && !installed.join("test").exists());
    // Below the libraries, so that they find each other.
    let tests = libraries.join("packages");
    let _ = fs::remove_dir_all(&tests);
    copy(&root().join("packages/npm/test"), &tests);
    let bin = libraries.join("node_modules/.bin");
    let node = done("node --test", Command::new("node").arg("--test").arg(tests.join("node")));
    assert!(node.contains("pass 2"), "{node}");
    let mut vitest = Command::new(bin.join("vitest"));
    let vitest = done("vitest", vitest.args(["run", "--root"]).arg(tests.join("vitest")));
    assert!(vitest.contains("3 passed"), "{vitest}");
    let config = format!(
        r#"{{"rootDir": {:?}, "testMatch": ["**/*.test.cjs"], "modulePaths": [{:?}]}}"#,
        tests.join("jest"),
        libraries.join("node_modules")
    );
    let jest = done("jest", Command::new(bin.join("jest")).args(["--config", &config]));
    assert!(jest.contains("2 passed"), "{jest}");

    let venv = libraries.join("venv/bin/pip");
    let mut install = Command::new(venv);
    install.args(["install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"]);
    done("pip install", install.arg(named(".whl")));
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).current_dir(dir.path());
    copy(&root().join("packages/python/tests"), &dir.path().join("tests"));
    let pytest = done("pytest", pytest.arg("tests"));
    assert!(pytest.contains("3 passed"), "{pytest}");
}
