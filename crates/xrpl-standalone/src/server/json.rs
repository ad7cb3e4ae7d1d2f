//! Requests as xrpld's parser takes them: what it would refuse is refused here too.

use serde_json::Value as Json;
use xrpl_protocol::input::UniqueJson;

/// Deepest nesting.
const MAX_NESTING: usize = 25;

/// Reads a request. Bytes after the value do not matter; whole numbers beyond 32 bits, members that
/// come twice and deep nesting are refused. The error says what is wrong and where.
pub(super) fn parse(body: &[u8]) -> Result<Json, String> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<UniqueJson>();
    let read = values.next().ok_or("there is nothing\n")?;
    let UniqueJson(json) = read.map_err(|error| format!("{error}\n"))?;
    if let Some((line, column, number)) = too_large(&body[..values.byte_offset()]) {
        return Err(format!(
            "* Line {line}, Column {column}\n  '{number}' exceeds the allowable range.\n"
        ));
    }
    match nests(&json) {
        true => Ok(json),
        false => Err("Syntax error: maximum nesting depth exceeded\n".into()),
    }
}

/// The first whole number that has no room in 32 bits, with a sign or without, and its line and
/// column from 1 on. (Once read, those beyond 64 bits can no longer be told from fractions.)
fn too_large(body: &[u8]) -> Option<(usize, usize, String)> {
    let (mut line, mut start, mut at) = (1, 0, 0);
    let (mut in_text, mut escaped) = (false, false);
    while let Some(byte) = body.get(at) {
        match byte {
            b'\n' => (line, start) = (line + 1, at + 1),
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'-' | b'0'..=b'9' if !in_text => {
                let of_number =
                    |byte: &&u8| matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = body[at..].iter().take_while(of_number).count();
                let number = String::from_utf8_lossy(&body[at..at + length]).into_owned();
                let digits = number.strip_prefix('-').unwrap_or(&number);
                let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
                let range = i64::from(i32::MIN)..=i64::from(u32::MAX);
                if is_whole && !number.parse().is_ok_and(|n: i64| range.contains(&n)) {
                    return Some((line, at - start + 1, number));
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn nests(json: &Json) -> bool {
    fn within(json: &Json, depth: usize) -> bool {
        match json {
            Json::Array(list) => {
                depth < MAX_NESTING && list.iter().all(|json| within(json, depth + 1))
            }
            Json::Object(members) => {
                depth < MAX_NESTING && members.values().all(|json| within(json, depth + 1))
            }
            _ => true,
        }
    }
    within(json, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_32_bits() {
        for good in [
            "[4294967295]",
            "[-2147483648]",
            "[1.5e300]",
            "[1e19]",
            "[0.1]",
            "{\"a\": \"4294967296\"}",
        ] {
            assert!(parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["[4294967296]", "[-2147483649]", "[99999999999999999999]"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(
            parse(b"{\"4294967296\":\n 4294967296}").unwrap_err(),
            "* Line 2, Column 2\n  '4294967296' exceeds the allowable range.\n"
        );
    }

    #[test]
    fn form() {
        assert!(parse(b"{} and more").is_ok());
        assert!(parse(b"{\"a\": 1, \"a\": 2}").is_err());
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(deep(24).as_bytes()).is_ok());
        assert!(parse(deep(26).as_bytes()).is_err());
    }
}
