//! What the run does: from the file of `--scenario`, or else from `--tps` and `--duration`.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, Origin, Sources, read::toml_values, values};
use crate::{
    reads::ReadMethod,
    scenario::{Scenario, file::ScenarioFile, is_allowed},
    settings::{ENV_PREFIX, SETTINGS, commands, find},
};

impl Config {
    /// Reads the file of the scenario, if there is one, and takes its settings.
    pub(super) fn read_scenario(
        &mut self,
        sources: &Sources,
    ) -> Result<Option<Scenario>, ConfigError> {
        let wanted = format!("{ENV_PREFIX}SCENARIO");
        let of_env = || {
            let given = sources.env.iter().find(|(name, path)| *name == wanted && !path.is_empty());
            given.map(|(_, path)| PathBuf::from(path))
        };
        let of_flag = sources.flags.get("scenario").and_then(|values| values.last());
        // As for every setting: the flag first, then the environment, then what the file said.
        let path = of_flag.map(PathBuf::from).or_else(of_env).or_else(|| self.scenario_file.take());
        let Some(path) = path else { return Ok(None) };
        let wrong = |why: String| ConfigError::Scenario { path: path.clone(), why };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let file = ScenarioFile::parse(&text).map_err(wrong)?;
        self.take_settings(&file, &path)?;
        file.scenario(&path).map(Some).map_err(wrong)
    }

    fn take_settings(&mut self, file: &ScenarioFile, path: &Path) -> Result<(), ConfigError> {
        let taken = |setting: &&crate::settings::Setting| {
            setting.commands & commands::RUN != 0 && is_allowed(setting.key)
        };
        for (key, value) in &file.run {
            let wrong = |why: String| ConfigError::Scenario { path: path.into(), why };
            let Some(setting) = find(key).filter(taken) else {
                let known = SETTINGS.iter().filter(taken).map(|setting| setting.key.to_owned());
                let meant = match values::nearest(key, known) {
                    Some(meant) => format!(": did you mean {meant:?}?"),
                    None => ", which has settings of a run (`xrpl-workload run --help`)".to_owned(),
                };
                return Err(wrong(format!("unknown key {key:?} in [run]{meant}")));
            };
            if !file.stage.is_empty() && matches!(setting.key, "tps" | "duration") {
                let of = setting.key;
                return Err(wrong(format!(
                    "[run] has {of}, and so has each [[stage]] its own: leave it out of [run]"
                )));
            }
            let values = toml_values(setting, value).map_err(|why| ConfigError::Value {
                given: format!("{key} in [run] of {}", path.display()),
                why,
            })?;
            self.set(setting, values, Origin::File(path.into()))?;
        }
        Ok(())
    }

    /// Puts together what the run does, once all settings are known.
    pub(super) fn settle_scenario(&mut self, given: Option<Scenario>) -> Result<(), ConfigError> {
        let of_settings = Scenario::of_settings(self.tps, self.duration);
        let Some(mut scenario) = given else {
            if !self.is_default("time_scale") {
                return Err(ConfigError::Conflict(
                    "--time-scale stretches the times of a scenario: give --scenario too".into(),
                ));
            }
            self.scenario = of_settings;
            return Ok(());
        };
        if scenario.stages.is_empty() {
            scenario.stages = of_settings.stages;
        } else {
            for key in ["tps", "duration"] {
                if !self.is_default(key) {
                    return Err(ConfigError::Conflict(format!(
                        "--{key} and the stages of --scenario {} both say how the load goes: leave \
                         --{key} out ({} sets it), or change the file",
                        scenario.file.unwrap_or_default().display(),
                        self.origins.0.get(key).map_or(&Origin::Default, |(_, origin)| origin)
                    )));
                }
            }
        }
        let of_books = scenario.reads.iter().flat_map(|load| &load.methods);
        if of_books.into_iter().any(|(method, _)| *method == ReadMethod::BookOffers)
            && (self.currencies.is_empty() || self.gateways == 0)
        {
            return Err(ConfigError::Conflict(
                "book_offers in [[reads]] reads books of issued --currencies, of which there are none: \
                 give some and a gateway, or leave it out"
                    .into(),
            ));
        }
        self.scenario = scenario.scaled(self.time_scale);
        Ok(())
    }
}
