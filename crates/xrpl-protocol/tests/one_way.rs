//! No two files of this crate depend on each other, directly or in a circle.

#[path = "common/one_way.rs"]
mod walker;

use std::path::Path;

#[test]
fn no_files_import_each_other() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(walker::circle(&src, ""), None);
}
