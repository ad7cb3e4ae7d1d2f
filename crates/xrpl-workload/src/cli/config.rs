//! `config`: what holds, and why.

use serde_json::{Map, json};

use super::Exit;
use crate::{config::Config, output};

/// Prints every setting with its value and origin.
pub(super) fn show(config: &Config, as_json: bool) -> Exit {
    let text = if as_json { json_text(config) } else { table(config) };
    output::write(text.as_bytes());
    Exit::Success
}

fn json_text(config: &Config) -> String {
    let rows: Map<_, _> = config
        .effective()
        .map(|row| {
            let value = json!({
                "value": row.text(),
                "origin": row.origin.to_string(),
                "flag": row.setting.flag(),
                "env": row.setting.env(),
                "default": row.setting.default,
                "doc": row.setting.doc,
            });
            (row.setting.key.to_owned(), value)
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Object(rows))
}

fn table(config: &Config) -> String {
    let rows: Vec<_> = config
        .effective()
        .map(|row| (row.setting.group, row.setting.key, row.text(), row.origin.to_string()))
        .collect();
    let key_width = rows.iter().map(|row| row.1.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|row| row.2.len()).max().unwrap_or(0).min(48);
    let mut text = String::new();
    let mut group = "";
    for (its_group, key, value, origin) in rows {
        if its_group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            text += &format!("{gap}# {its_group}\n");
            group = its_group;
        }
        let value = if value.is_empty() { "-".to_owned() } else { value };
        text += &format!("{key:key_width$}  {value:value_width$}  {origin}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Sources, settings::SETTINGS};

    #[test]
    fn every_setting_is_shown() {
        let config = Config::load(&Sources::default()).unwrap();
        let shown = table(&config);
        let json: serde_json::Value = serde_json::from_str(&json_text(&config)).unwrap();
        for setting in SETTINGS {
            assert!(shown.contains(setting.key), "config lacks {}", setting.key);
            assert_eq!(json[setting.key]["flag"], setting.flag());
        }
    }
}
