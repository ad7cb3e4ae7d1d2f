//! Where values come from: flags over environment over file.

use super::{Config, ConfigError, DEFAULT_FILE, Origin, Sources, values, without_password};
use crate::settings::{ENV_PREFIX, SETTINGS, Setting, Shape, find, split};

impl Config {
    pub(super) fn set(
        &mut self,
        setting: &'static Setting,
        values: Vec<String>,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        (setting.apply)(self, &values).map_err(|why| {
            let shown = match setting.secret {
                true => "<redacted>".to_owned(),
                false => values.iter().map(|v| without_password(v)).collect::<Vec<_>>().join(","),
            };
            let given = match &origin {
                Origin::Default => format!("{} = {shown:?} (its default)", setting.key),
                Origin::File(path) => format!("{} = {shown:?} in {}", setting.key, path.display()),
                Origin::Env(name) => format!("{name}={shown}"),
                Origin::Flag => format!("{} {shown}", setting.flag()),
            };
            ConfigError::Value { given, why }
        })?;
        self.origins.0.insert(setting.key, (values, origin));
        Ok(())
    }

    pub(super) fn read_env(&mut self, env: &[(String, String)]) -> Result<(), ConfigError> {
        let values = |setting: &Setting, text: &str| match setting.shape {
            Shape::Many | Shape::Table => split(text),
            Shape::One | Shape::Switch => vec![text.to_owned()],
        };
        for (common, key) in [("RPC_URL", "rpc"), ("WS_URL", "ws")] {
            if let Some((_, text)) = env.iter().find(|(name, _)| name == common)
                && let Some(setting) = find(key)
            {
                self.set(setting, values(setting, text), Origin::Env(common.to_owned()))?;
            }
        }
        for (name, text) in env {
            let Some(key) = name.strip_prefix(ENV_PREFIX) else { continue };
            if key == "CONFIG" {
                continue;
            }
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.env() == *name)
                .ok_or_else(|| unknown("environment variable", name, String::new()))?;
            // An empty variable is an unset one, but an empty list is a list.
            if text.is_empty() && matches!(setting.shape, Shape::One | Shape::Switch) {
                continue;
            }
            self.set(setting, values(setting, text), Origin::Env(name.clone()))?;
        }
        Ok(())
    }

    pub(super) fn read_file(&mut self, sources: &Sources) -> Result<(), ConfigError> {
        let named = sources.file.clone().or_else(|| {
            let wanted = format!("{ENV_PREFIX}CONFIG");
            let given = sources.env.iter().find(|(name, path)| *name == wanted && !path.is_empty());
            given.map(|(_, path)| path.into())
        });
        let must_exist = named.is_some();
        let path = named.unwrap_or_else(|| DEFAULT_FILE.into());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && !must_exist => {
                return Ok(());
            }
            Err(cause) => return Err(ConfigError::File { path, cause }),
        };
        let table: toml::Table = text
            .parse()
            .map_err(|cause| ConfigError::Toml { path: path.clone(), cause: Box::new(cause) })?;
        for (key, value) in table {
            let setting = find(&key)
                .ok_or_else(|| unknown("key", &key, format!(" in {}", path.display())))?;
            let values = toml_values(setting, &value).map_err(|why| ConfigError::Value {
                given: format!("{key} in {}", path.display()),
                why,
            })?;
            self.set(setting, values, Origin::File(path.clone()))?;
        }
        Ok(())
    }
}

pub(super) fn unknown(what: &'static str, name: &str, place: String) -> ConfigError {
    // Without what every variable begins with: it says nothing about which one was meant.
    let key = name.strip_prefix(ENV_PREFIX).unwrap_or(name);
    let nearest = values::nearest(key, SETTINGS.iter().map(|setting| setting.key.to_owned()));
    let nearest = match what {
        "environment variable" => nearest.and_then(|key| find(&key)).map(Setting::env),
        _ => nearest,
    };
    ConfigError::Unknown { what, name: name.to_owned(), place, nearest }
}

/// A value of a file as texts.
pub(super) fn toml_values(setting: &Setting, value: &toml::Value) -> Result<Vec<String>, String> {
    fn scalar(value: &toml::Value) -> Result<String, String> {
        match value {
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(n) => Ok(n.to_string()),
            toml::Value::Float(n) => Ok(n.to_string()),
            toml::Value::Boolean(b) => Ok(b.to_string()),
            other => Err(format!("a {} is not understood here", other.type_str())),
        }
    }
    match (setting.shape, value) {
        (Shape::Many, toml::Value::Array(values)) => values.iter().map(scalar).collect(),
        (Shape::Many, toml::Value::String(text)) => Ok(split(text)),
        (Shape::Table, toml::Value::Table(table)) => {
            table.iter().map(|(name, n)| Ok(format!("{name}={}", scalar(n)?))).collect()
        }
        (Shape::Table, _) => Err(format!("expected a table: [{}] with NAME = NUMBER", setting.key)),
        (_, value) => Ok(vec![scalar(value)?]),
    }
}
