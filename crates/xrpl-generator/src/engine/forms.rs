//! What the node's definitions ask of a type beside what it was built for: a field that is required
//! now is filled from its format, one that is gone is left out. What cannot be met so switches the type
//! off, with that reason.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use xrpl_protocol::{
    Definitions, Field, Object,
    differences::Differences,
    fields,
    hash::sha512_half,
    transaction::{Direct, Payment},
};

use super::Engine;
use crate::{
    accounts::Index,
    fuzz::draw::Draw,
    plan::{Body, Plan},
    planner::Planner,
};

/// What of a type is changed before it is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Form {
    /// Fields that it must have, with their names.
    add: Vec<(String, Field)>,
    /// Fields that it has no more.
    drop: Vec<Field>,
}

/// Types whose form is another one on this node, by their codes.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms(FxHashMap<u16, Form>);

impl Forms {
    /// What a node's definitions ask for beside the built-in ones, and the types that cannot be sent
    /// there, each with the reason.
    pub(super) fn new(node: &Definitions) -> (Self, Vec<(String, String)>) {
        let builtin = Definitions::builtin();
        let differences = Differences::between(node, builtin);
        let (mut forms, mut off) = (Self::default(), Vec::new());
        if differences.is_empty() {
            return (forms, off);
        }
        for (name, code) in builtin.transaction_types() {
            let Ok(code) = u16::try_from(code) else { continue };
            match form(node, builtin, &differences, name) {
                Ok(form) if form == Form::default() => {}
                Ok(form) => drop(forms.0.insert(code, form)),
                Err(why) => off.push((name.to_owned(), why)),
            }
        }
        (forms, off)
    }
}

/// What is changed of a type.
fn form(
    node: &Definitions,
    builtin: &Definitions,
    differences: &Differences,
    name: &str,
) -> Result<Form, String> {
    if differences.missing_types.iter().any(|missing| missing == name) {
        return Err("the node's definitions do not have it".to_owned());
    }
    let change = differences.changed_types.iter().find(|change| change.name == name);
    if let Some(code) = change.and_then(|change| change.code) {
        return Err(format!("its code is {code} in the node's definitions"));
    }
    let lacks = |field: &str| change.is_some_and(|c| c.lacks.iter().any(|gone| gone == field));
    let own = builtin.transaction_format(name).unwrap_or_default();
    for of in own.iter().chain(builtin.common_format()) {
        let same = node.field(&of.name) == of.field;
        if !same && !lacks(&of.name) {
            return Err(format!("the node's definitions write its field {} otherwise", of.name));
        }
    }
    let Some(change) = change else { return Ok(Form::default()) };
    let mut form = Form::default();
    for field in &change.requires {
        let Some(code) = node.field(field) else {
            return Err(format!("it must have {field}, which this program cannot write"));
        };
        form.add.push((field.clone(), code));
    }
    form.drop = change.lacks.iter().filter_map(|field| builtin.field(field)).collect();
    let batch = name == "Batch" && form != Form::default();
    if batch {
        Err("its form is another one in the node's definitions".to_owned())
    } else {
        Ok(form)
    }
}

impl Engine {
    /// Gives a plan the form that the node's definitions ask for.
    pub(super) fn give_form(&self, index: Index, plan: &mut Plan) {
        if self.forms.0.is_empty() {
            return;
        }
        let account = &self.world.accounts[index];
        let slot = account.lane.next().0.to_le_bytes();
        let seed = sha512_half(&[b"form", &self.run.0, &account.id.0, &slot]);
        let mut rng = ChaCha8Rng::from_seed(seed.0);
        let mut planner =
            Planner { world: &self.world, fees: &self.fees, sender: index, rng: &mut rng };
        let mut draw = Draw::sober(&mut planner, &self.definitions);
        match &mut plan.body {
            Body::Batch(legs) => {
                legs.iter_mut().for_each(|leg| self.fit(&mut draw, &mut leg.body));
            }
            Body::Payment(_) if !self.forms.0.contains_key(&Payment::TYPE) => {}
            Body::Payment(_) | Body::Fields(_) => self.fit(&mut draw, plan.fields()),
        }
    }

    fn fit(&self, draw: &mut Draw<'_, '_>, body: &mut Object) {
        let code = body.u16(fields::TRANSACTION_TYPE);
        let Some(form) = code.and_then(|code| self.forms.0.get(&code)) else { return };
        for field in &form.drop {
            body.remove(*field);
        }
        for (name, field) in &form.add {
            if !body.contains(*field) {
                let value = draw.value(name, *field, 0);
                body.set(*field, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(change: impl Fn(&mut serde_json::Value)) -> (Forms, Vec<(String, String)>) {
        let mut json = Definitions::builtin_json().clone();
        change(&mut json);
        Forms::new(&Definitions::from_json(&json).unwrap())
    }

    #[test]
    fn the_built_in_definitions_ask_for_nothing() {
        let (forms, off) = changed(|_| {});
        assert!(forms.0.is_empty() && off.is_empty());
    }

    #[test]
    fn what_is_required_is_added_and_what_is_gone_left_out() {
        let (forms, off) = changed(|json| {
            let format = json["TRANSACTION_FORMATS"]["DIDSet"].as_array_mut().unwrap();
            format.retain(|field| field["name"] != "URI");
            format.push(json!({"name": "Domain", "optionality": 0}));
        });
        assert!(off.is_empty());
        let did = Definitions::builtin().transaction_type("DIDSet").unwrap();
        let form = Form { add: vec![("Domain".into(), fields::DOMAIN)], drop: vec![fields::URI] };
        assert_eq!(forms.0[&did], form);
        assert_eq!(forms.0.len(), 1);
    }

    #[test]
    fn what_cannot_be_met_switches_a_type_off() {
        let (forms, off) = changed(|json| {
            json["TRANSACTION_TYPES"].as_object_mut().unwrap().remove("DIDDelete");
            json["TRANSACTION_TYPES"]["CheckCash"] = json!(300);
            json["TRANSACTION_FORMATS"]["CheckCancel"] = json!([
                {"name": "CheckID", "optionality": 0}, {"name": "Weights", "optionality": 0},
            ]);
            let fields = json["FIELDS"].as_array_mut().unwrap();
            let taxon = fields.iter_mut().find(|field| field[0] == "NFTokenTaxon").unwrap();
            taxon[1]["nth"] = json!(222);
        });
        assert!(forms.0.is_empty());
        let mut off: Vec<_> = off.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        off.sort_unstable();
        assert_eq!(
            off,
            [
                "CheckCancel: it must have Weights, which this program cannot write",
                "CheckCash: its code is 300 in the node's definitions",
                "DIDDelete: the node's definitions do not have it",
                "NFTokenMint: the node's definitions write its field NFTokenTaxon otherwise",
            ]
        );
    }
}
