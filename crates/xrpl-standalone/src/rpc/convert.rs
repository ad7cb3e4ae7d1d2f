//! Parameters as xrpld's JSON library converts them: what is no text has one, what is no number may
//! be read as one, and whatever cannot be converted ends the request with `internal`.

use serde_json::Value as Json;

use super::RpcError;

type Result<T> = std::result::Result<T, RpcError>;

/// A value as text (`asString`).
pub(super) fn text_of(json: &Json) -> Result<String> {
    match json {
        Json::Null => Ok(String::new()),
        Json::String(text) => Ok(text.clone()),
        Json::Number(n) if n.is_f64() => Ok(format!("{:.6}", n.as_f64().unwrap_or_default())),
        Json::Bool(_) | Json::Number(_) => Ok(json.to_string()),
        Json::Array(_) | Json::Object(_) => Err(RpcError::internal()),
    }
}

/// A value as a whole number of 32 bits with a sign (`asInt`).
pub(super) fn int_of(json: &Json) -> Result<i32> {
    whole(json).and_then(|n| i32::try_from(n).map_err(|_| RpcError::internal()))
}

/// A value as a whole number of 32 bits without a sign (`asUInt`).
pub(super) fn uint_of(json: &Json) -> Result<u32> {
    whole(json).and_then(|n| u32::try_from(n).map_err(|_| RpcError::internal()))
}

fn whole(json: &Json) -> Result<i64> {
    let n = match json {
        Json::Null => Some(0),
        Json::Bool(flag) => Some(i64::from(*flag)),
        Json::Number(n) if n.is_f64() => {
            // Fractions are cut off.
            n.as_f64().filter(|n| n.abs() <= f64::from(u32::MAX)).map(|n| n as i64)
        }
        Json::Number(n) => n.as_i64(),
        Json::String(text) => text.parse().ok(),
        Json::Array(_) | Json::Object(_) => None,
    };
    n.ok_or_else(RpcError::internal)
}

/// A value as a flag (`asBool`): whatever is not empty or zero.
pub(super) fn truth_of(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(n) => n.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_xrpld_converts() {
        for (json, text) in [
            (json!(null), ""),
            (json!("x"), "x"),
            (json!(true), "true"),
            (json!(-7), "-7"),
            (json!(1.5), "1.500000"),
        ] {
            assert_eq!(text_of(&json).unwrap(), text);
        }
        for (json, n) in [
            (json!(null), Some(0)),
            (json!(true), Some(1)),
            (json!(1.9), Some(1)),
            (json!("7"), Some(7)),
            (json!(-1), Some(-1)),
            (json!("x"), None),
            (json!(""), None),
            (json!(u32::MAX), None),
            (json!([]), None),
        ] {
            assert_eq!(int_of(&json).ok(), n, "{json}");
        }
        assert_eq!(uint_of(&json!(u32::MAX)).ok(), Some(u32::MAX));
        assert!(uint_of(&json!(-1)).is_err());
        let truths = [json!(0.5), json!("0"), json!([0]), json!({"a": 1})];
        assert!(truths.iter().all(truth_of));
        let others = [json!(0), json!(""), json!([]), json!({}), json!(null)];
        assert!(!others.iter().any(truth_of));
    }
}
