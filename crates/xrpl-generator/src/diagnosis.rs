//! Why each type runs or does not: how often it was planned, how often it had to wait, and for what.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    accounts::Role,
    catalogue::{Catalogue, TypeId},
    plan::Wait,
};

/// What is noted of one type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    planned: u64,
    waited: BTreeMap<&'static str, u64>,
    last: Option<Wait>,
}

/// What is noted of all types, by their position in the catalogue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Vec<Noted>);

impl Notes {
    fn of(&mut self, id: TypeId) -> &mut Noted {
        if self.0.len() <= id {
            self.0.resize_with(id + 1, Noted::default);
        }
        &mut self.0[id]
    }

    /// One was planned.
    pub(crate) fn planned(&mut self, id: TypeId) {
        let noted = self.of(id);
        noted.planned += 1;
        noted.last = None;
    }

    /// One could not be planned.
    pub(crate) fn waits(&mut self, id: TypeId, wait: Wait) {
        let noted = self.of(id);
        *noted.waited.entry(wait.reason()).or_default() += 1;
        noted.last = Some(wait);
    }
}

/// Why a type runs or does not.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TypeDiagnosis {
    /// Its name.
    pub name: &'static str,
    /// What it belongs to, such as `NFTs`.
    pub family: &'static str,
    /// Its weight.
    pub weight: u32,
    /// Whether it is drawn.
    pub enabled: bool,
    /// How often it was planned.
    pub planned: u64,
    /// Plans of it that wait at the moment.
    pub waiting: usize,
    /// How often it could not be planned, by what it waited for.
    pub waited: BTreeMap<&'static str, u64>,
    /// In words: why it does not run, or why not more.
    pub why_not: Option<String>,
}

/// The diagnoses of all types.
pub(crate) fn diagnose(
    catalogue: &Catalogue,
    notes: &Notes,
    waiting: impl Fn(TypeId) -> usize,
    sender: impl Fn(&[Role]) -> bool,
) -> Vec<TypeDiagnosis> {
    let disabled: BTreeMap<_, _> = catalogue.disabled().collect();
    catalogue
        .weights()
        .enumerate()
        .map(|(id, (name, weight))| {
            let noted = notes.0.get(id).cloned().unwrap_or_default();
            let off = disabled.get(name).map(|why| match why {
                None => "it is switched off".to_owned(),
                Some(why) => format!("this network does not take it: {why}"),
            });
            let why_not = match off {
                Some(off) => Some(off),
                None if weight == 0 => Some("its weight is 0".to_owned()),
                None if !sender(catalogue.get(id).about().roles) => {
                    Some("there is no account yet that may send it".to_owned())
                }
                None => noted.last.map(|wait| wait.to_string()),
            };
            TypeDiagnosis {
                name,
                family: catalogue.get(id).about().family,
                weight,
                enabled: !disabled.contains_key(name),
                planned: noted.planned,
                waiting: waiting(id),
                waited: noted.waited,
                why_not,
            }
        })
        .collect()
}
