//! `~/.pgpass`: lines of `HOST:PORT:DATABASE:USER:PASSWORD`, in which `*` stands for any value and `\`
//! before a character takes its meaning away. The first line that fits counts.

use std::path::Path;

/// The password for host, port, database and user.
pub(super) fn find(path: &Path, wanted: [&str; 4]) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            tracing::warn!("{path} is not read, for others may read it: chmod 0600 {path}");
            return None;
        }
    }
    text.lines().find_map(|line| password(line, wanted))
}

fn password(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = fields(line).into_iter();
    for wanted in wanted {
        let field = fields.next()?;
        if field != wanted && field != "*" {
            return None;
        }
    }
    fields.next()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, fields.len()) {
            (':', 1..5) => fields.push(String::new()),
            _ => {
                let c = if c == '\\' { characters.next().unwrap_or(c) } else { c };
                fields.last_mut().unwrap_or(&mut String::new()).push(c);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let wanted = ["db.example", "5432", "runs", "tester"];
        for (line, found) in [
            ("db.example:5432:runs:tester:secret", Some("secret")),
            ("*:*:*:*:any:with \\\\ and \\:", Some("any:with \\ and :")),
            ("db.example:*:*:tester:a\\:b", Some("a:b")),
            ("# db.example:5432:runs:tester:secret", None),
            ("db.example:5433:runs:tester:secret", None),
            ("db.example:5432:runs:other:secret", None),
            ("db.example:5432:runs:tester", None),
            ("", None),
        ] {
            assert_eq!(password(line, wanted).as_deref(), found, "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, "a:1:b:c:first\n*:*:*:*:second\n").unwrap();
        for (mode, found) in [(0o600, Some("second")), (0o640, None), (0o604, None)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(find(&path, ["x", "2", "y", "z"]).as_deref(), found, "{mode:o}");
        }
        assert_eq!(find(&folder.path().join("none"), ["x", "2", "y", "z"]), None);
    }
}
