//! No two files below `ledger` depend on each other, directly or in a circle.

#[path = "../../xrpl-protocol/tests/common/one_way.rs"]
mod walker;

use std::path::Path;

#[test]
fn no_files_of_the_ledger_import_each_other() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(walker::circle(&src, "ledger"), None);
}
