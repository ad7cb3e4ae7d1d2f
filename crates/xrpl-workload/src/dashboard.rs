//! The page's files, as they lie in `dashboard/`, and Chart.js as its registry package carries it.
//! There is no build step: what is read there is what a browser gets.

/// One file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Below `/dashboard/`.
    pub path: &'static str,
    /// Its `Content-Type`.
    pub kind: &'static str,
    /// Its text.
    pub text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! scripts {
    ($($path:literal)*) => {
        &[$(Asset { path: $path, kind: SCRIPT, text: include_str!(concat!("dashboard/", $path)) }),*]
    };
}

static SCRIPTS: &[Asset] = scripts! {
    "api.js" "charts.js" "clock.js" "dom.js" "export.js" "keys.js" "main.js" "pressure.js" "router.js" "stream.js" "theme.js" "virtual.js"
    "panels/accounts.js" "panels/amendments.js" "panels/controls.js" "panels/dossier.js" "panels/failures.js"
    "panels/coverage.js" "panels/finality.js" "panels/fuzz.js" "panels/header.js" "panels/heat.js" "panels/journeys.js" "panels/ledgers.js" "panels/matrix.js" "panels/node.js"
    "panels/overview.js" "panels/runs.js" "panels/scenario.js" "panels/shadow.js" "panels/throughput.js" "panels/transactions.js"
};

static OTHERS: &[Asset] = &[
    Asset {
        path: "style.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("dashboard/style.css"),
    },
    Asset {
        path: "icon.svg",
        kind: "image/svg+xml; charset=utf-8",
        text: include_str!("dashboard/icon.svg"),
    },
    Asset { path: "chart.js", kind: SCRIPT, text: CHART_JS },
];

/// Chart.js, as its authors published it.
pub const CHART_JS: &str = rustlavel_chart::plugin::CHART_JS;

/// The page itself.
pub const INDEX: &str = include_str!("dashboard/index.html");

/// The file of a path below `/dashboard/`.
#[must_use]
pub fn asset(path: &str) -> Option<&'static Asset> {
    SCRIPTS.iter().chain(OTHERS).find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Names of files below a folder, with its own name for those of folders in it.
    fn files(folder: &Path, prefix: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
            match entry.path().is_dir() {
                true => found.extend(files(&entry.path(), &format!("{name}/"))),
                false => found.push(name),
            }
        }
        found
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard");
        let found = files(&folder, "");
        for path in found.iter().filter(|path| *path != "index.html") {
            assert!(asset(path).is_some(), "{path} is in the folder and not in the table");
        }
        assert!(asset("../Cargo.toml").is_none());
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        for asset in SCRIPTS.iter().chain(OTHERS).filter(|asset| asset.path != "chart.js") {
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("://"), "{} names an address", asset.path);
        }
        assert!(!INDEX.contains("://") && !INDEX.contains("<style") && !INDEX.contains(" style="));
        for script in INDEX.matches("<script").zip(INDEX.split("<script").skip(1)) {
            assert!(script.1.starts_with(" src="), "an inline script, which the policy refuses");
        }
    }

    /// The package is a wrapper; what it carries is what Chart.js 4.5.1 published as
    /// `dist/chart.umd.js`, byte for byte.
    #[test]
    fn chart_js_is_the_published_one() {
        let text = asset("chart.js").unwrap().text;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        assert_eq!(
            const_hex::encode(digest.as_ref()),
            "ecc3cd1eeb8c34d2178e3f59fd63ec5a3d84358c11730af0b9958dc886d7652a"
        );
    }
}
