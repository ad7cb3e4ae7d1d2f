//! Validators that are not counted for a while
//! (<https://xrpl.org/docs/concepts/consensus-protocol/negative-unl>): what was voted takes effect with
//! the next flag ledger, before its transactions and outside all metadata.

use xrpl_protocol::{Object, Value, fields};

/// The list as it is in the flag ledger of this index, with what was voted on: empty if nobody is left.
/// None if nothing was voted on.
pub(super) fn in_flag_ledger(before: &Object, index: u32) -> Option<Object> {
    let mut entry = before.clone();
    let counted_again = entry.remove(fields::VALIDATOR_TO_RE_ENABLE);
    let no_more = entry.remove(fields::VALIDATOR_TO_DISABLE);
    if counted_again.is_none() && no_more.is_none() {
        return None;
    }
    let mut disabled = entry.array(fields::DISABLED_VALIDATORS).unwrap_or_default().to_vec();
    if let Some(key) = counted_again {
        disabled.retain(|(_, one)| one.get(fields::PUBLIC_KEY) != Some(&key));
    }
    if let Some(key) = no_more {
        let mut one = Object::new().with(fields::FIRST_LEDGER_SEQUENCE, index);
        one.set(fields::PUBLIC_KEY, key);
        disabled.push((fields::DISABLED_VALIDATOR, one));
    }
    if disabled.is_empty() {
        return Some(Object::new());
    }
    entry.set(fields::DISABLED_VALIDATORS, Value::Array(disabled));
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(to_disable: Option<u8>, to_re_enable: Option<u8>, disabled: &[u8]) -> Object {
        let mut entry = Object::new();
        if let Some(key) = to_disable {
            entry.set(fields::VALIDATOR_TO_DISABLE, vec![key].into());
        }
        if let Some(key) = to_re_enable {
            entry.set(fields::VALIDATOR_TO_RE_ENABLE, vec![key].into());
        }
        let disabled: Vec<_> = disabled
            .iter()
            .map(|key| {
                let one = Object::new().with(fields::FIRST_LEDGER_SEQUENCE, 512u32);
                (fields::DISABLED_VALIDATOR, one.with(fields::PUBLIC_KEY, vec![*key]))
            })
            .collect();
        if !disabled.is_empty() {
            entry.set(fields::DISABLED_VALIDATORS, Value::Array(disabled));
        }
        entry
    }

    #[test]
    fn what_was_voted_takes_effect() {
        assert_eq!(in_flag_ledger(&entry(None, None, &[1]), 512), None);
        let first = in_flag_ledger(&entry(Some(1), None, &[]), 512);
        assert_eq!(first, Some(entry(None, None, &[1])));
        let both = in_flag_ledger(&entry(Some(3), Some(1), &[1, 2]), 512);
        assert_eq!(both, Some(entry(None, None, &[2, 3])));
        assert_eq!(in_flag_ledger(&entry(None, Some(1), &[1]), 512), Some(Object::new()));
    }
}
