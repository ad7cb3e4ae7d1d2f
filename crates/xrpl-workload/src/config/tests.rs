use super::*;

fn load(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: &str,
) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("xrpl-workload.toml");
    std::fs::write(&path, file).unwrap();
    Config::load(&Sources {
        flags: flags.iter().map(|(key, value)| (*key, vec![(*value).to_owned()])).collect(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        file: Some(path),
    })
}

fn error(flags: &[(&'static str, &str)], env: &[(&str, &str)], file: &str) -> String {
    load(flags, env, file).unwrap_err().to_string()
}

#[test]
fn flags_outrank_environment_outranks_file_outranks_defaults() {
    let file = "tps = 3\nmax_pending = 3\naccounts = 30";
    let env = [("XRPL_WORKLOAD_TPS", "2"), ("XRPL_WORKLOAD_MAX_PENDING", "2")];
    let config = load(&[("tps", "1")], &env, file).unwrap();
    assert_eq!((config.tps, config.max_pending, config.accounts), (1.0, 2, Some(30)));
    assert_eq!(config.gateways, 2);
    let origins: BTreeMap<_, _> =
        config.effective().map(|e| (e.setting.key, e.origin.to_string())).collect();
    assert_eq!(origins["tps"], "flag");
    assert_eq!(origins["max_pending"], "XRPL_WORKLOAD_MAX_PENDING");
    assert!(origins["accounts"].ends_with("xrpl-workload.toml"));
    assert_eq!(origins["gateways"], "default");
    assert!(config.is_default("gateways") && !config.is_default("tps"));
}

#[test]
fn rpc_url_and_ws_url_are_honoured_below_our_own_variables() {
    let env = [("RPC_URL", "http://a:5005"), ("WS_URL", "ws://a:6006")];
    let config = load(&[], &env, "").unwrap();
    assert_eq!(config.rpc[0].as_str(), "http://a:5005/");
    assert_eq!(config.ws[0].as_str(), "ws://a:6006/");
    let env =
        [env[0], env[1], ("XRPL_WORKLOAD_RPC", "http://b:1"), ("XRPL_WORKLOAD_WS", "ws://b:2")];
    let config = load(&[], &env, "").unwrap();
    assert_eq!(config.rpc[0].as_str(), "http://b:1/");
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    let text = error(&[], &[], "max_pendin = 3");
    assert!(text.contains("\"max_pendin\"") && text.contains("\"max_pending\""), "{text}");
    let text = error(&[], &[], "acounts = 3");
    assert!(text.contains("did you mean \"accounts\""), "{text}");
    let text = error(&[], &[("XRPL_WORKLOAD_TPZ", "3")], "");
    assert!(text.contains("\"XRPL_WORKLOAD_TPS\""), "{text}");
    assert!(load(&[], &[("XRPL_WORK", "1"), ("TPZ", "1")], "").is_ok());
    for text in [error(&[], &[], "zebra = 3"), error(&[], &[("XRPL_WORKLOAD_ZEBRA", "3")], "")] {
        assert!(!text.contains("mean") && text.contains("lists all"), "{text}");
    }
}

#[test]
fn types_and_currencies_are_checked_before_anything_starts() {
    let text = error(&[("types", "Payement=5")], &[], "");
    assert!(
        text.starts_with("--types Payement=5: ") && text.contains("mean \"Payment\""),
        "{text}"
    );
    let text = error(&[], &[], "[types]\nUNLModify = 5");
    assert!(text.contains("\"UNLModify\"") && !text.contains("mean"), "{text}");
    assert_eq!(load(&[("types", "trustset=5")], &[], "").unwrap().types["trustset"], 5);
    for code in ["XRP", "EURO", "U"] {
        assert!(error(&[("currencies", code)], &[], "").contains("three letters"), "{code}");
    }
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let env = [("XRPL_WORKLOAD_TPS", ""), ("XRPL_WORKLOAD_KEY_TYPE", ""), ("RPC_URL", "")];
    let config = load(&[], &env, "tps = 3").unwrap();
    assert_eq!(config.tps, 3.0);
    assert!(config.is_default("key_type") && config.rpc.is_empty());
}

#[test]
fn bad_values_name_where_they_were_given_and_the_mend() {
    assert_eq!(
        error(&[("max_pending", "many")], &[], ""),
        "--max-pending many: expected a whole number from 1 to 1000, such as 5"
    );
    assert_eq!(
        error(&[], &[("XRPL_WORKLOAD_DURATION", "soon")], ""),
        "XRPL_WORKLOAD_DURATION=soon: expected a time such as 500ms, 60s, 5m or 1h30m"
    );
    let text = error(&[], &[], "tps = -1");
    assert!(text.starts_with("tps = \"-1\" in ") && text.contains("such as 200"), "{text}");
    let text = error(&[], &[], "types = 4");
    assert!(text.contains("[types]"), "{text}");
    for (key, value) in [
        ("accounts", "-1"),
        ("gateways", "-1"),
        ("intent_invalid", "101"),
        ("key_type", "rsa"),
        ("fee_strategy", "cheap"),
        ("rpc", "localhost:5005"),
        ("ws", "http://a"),
        ("api_bind", "8000"),
        ("ledger_interval", "1 year"),
        ("types", "Payment"),
        ("log_level", "xrpl=loud=2"),
        ("json", "perhaps"),
        ("check_interval", "0"),
        ("api_token", "short"),
        ("max_fee_drops", "1"),
        ("network_id", "-3"),
        ("subscribe", "everything"),
    ] {
        let text = error(&[(key, value)], &[], "");
        let flag = find(key).unwrap().flag();
        assert!(text.starts_with(&flag) && text.len() > flag.len() + 20, "{key}: {text}");
    }
    assert!(error(&[], &[], "tps = [").contains("not valid TOML"));
}

#[test]
fn secrets_are_never_shown() {
    let seed = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
    let config = load(&[("funding_secret", seed), ("api_token", "open-sesame")], &[], "").unwrap();
    let shown = config.effective().map(|e| e.text()).collect::<String>() + &format!("{config:?}");
    // The origins keep the texts for `config`; Debug must not leak them.
    assert!(!shown.contains(seed) && !shown.contains("open-sesame"), "{shown}");
    let text = error(&[("funding_secret", "snoPBrXtMeMyMHUVTgbuqAfg1SUTc")], &[], "");
    assert!(text.contains("<redacted>") && !text.contains("snoPB"), "{text}");
}

#[test]
fn a_database_takes_the_environment_and_shows_no_password() {
    let env = [("PGPORT", "6000"), ("PGPASSWORD", "from-outside"), ("PGSSLMODE", "require")];
    let config = load(&[("store", "postgres://me@db.example/runs")], &env, "").unwrap();
    assert_eq!(config.store.to_string(), "postgres://me@db.example:6000/runs?sslmode=require");
    assert!(config.secrets().any(|secret| secret == "from-outside"));
    let config = load(&[("store", "postgres://me:hunter2@db.example/runs")], &env, "").unwrap();
    assert!(config.secrets().any(|secret| secret == "hunter2"));
    let shown = config.effective().map(|e| e.text()).collect::<String>() + &format!("{config:?}");
    assert!(shown.contains("postgres://me@db.example"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("from-outside"), "{shown}");
    let text = error(&[("store", "postgres://")], &[("PGPORT", "hunter2")], "");
    assert!(text.contains("PGPORT") && !text.contains("hunter2"), "{text}");
    let text = error(&[("store", "postgres://me:hunter2@h:x/runs")], &[], "");
    assert!(text.contains("65535") && !text.contains("hunter2"), "{text}");
    // Whose variables are wrong need not care, unless they are used.
    assert!(load(&[("store", "run.db")], &[("PGPORT", "x")], "").is_ok());
}

#[test]
fn values_that_do_not_go_together() {
    assert!(error(&[("rpc", "http://a:1")], &[], "").contains("--ws"));
    let text = error(&[("api_bind", "0.0.0.0:8000")], &[], "");
    assert!(text.contains("--api-token"), "{text}");
    assert!(load(&[("api_bind", "0.0.0.0:8000"), ("api_token", "open-sesame")], &[], "").is_ok());
    assert!(load(&[("api_bind", "0.0.0.0:8000"), ("no_api", "true")], &[], "").is_ok());
    assert!(error(&[("gateways", "0")], &[], "").contains("--currencies"));
    assert!(load(&[("gateways", "0")], &[], "currencies = []").is_ok());
}

#[test]
fn accounts_of_a_file_are_read_and_their_secrets_kept() {
    let one = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
    let two = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
    let three = "snYP7oArxKepd3GPDcrjMsJYiJeJB";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts");
    let path = path.to_str().unwrap();
    let with = |text: &str, more: &[(&'static str, &str)]| {
        std::fs::write(path, text).unwrap();
        load(&[&[("accounts_file", path)], more].concat(), &[], "")
    };
    let text = format!("# issues\n{one}\n\n  {two} # pays\n{three}");
    let config = with(&text, &[("gateways", "1")]).unwrap();
    assert_eq!(config.accounts_file.len(), 3);
    assert!([one, two, three].iter().all(|text| config.secrets().any(|secret| secret == *text)));
    let shown = config.effective().map(|e| e.text()).collect::<String>() + &format!("{config:?}");
    assert!(shown.contains(path) && !shown.contains("sno") && !shown.contains("sEd"), "{shown}");
    for (text, more, expected) in [
        (text.as_str(), &[][..], "3 secrets, and --gateways 2 with two users need 4"),
        (&text, &[("gateways", "1"), ("accounts", "3")], "--accounts-file and --accounts:"),
        (&text, &[("gateways", "1"), ("funding_secret", one)], "--funding-secret"),
        (&text, &[("gateways", "1"), ("sweep", "true")], "--sweep"),
        (&text, &[("gateways", "1"), ("heartbeat", "true")], "--heartbeat"),
        (&format!("{one}\n{two}\n{one}"), &[], "line 3 has the secret of line 1 again"),
        (&format!("{one}\nsnYP7oArxKepd3GPDcrjMsJYiJeJX"), &[], "line 2: not a seed"),
        ("# none\n", &[], "no secret is in it"),
        (&format!("{one}\n").repeat(40_000), &[], "longer than 1048576 bytes"),
    ] {
        let error = with(text, more).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("sno") && !error.contains("snYP"), "{error}");
    }
    // What is empty or says the default forbids nothing.
    std::fs::write(path, &text).unwrap();
    let env = [("XRPL_WORKLOAD_FUNDING_SECRET", ""), ("XRPL_WORKLOAD_SWEEP", "false")];
    let flags = [("accounts_file", path), ("gateways", "1"), ("accounts", "auto")];
    assert!(load(&flags, &env, "").is_ok());
    let error = error(&[("accounts_file", "/nowhere/at/all")], &[], "");
    assert!(error.starts_with("--accounts-file /nowhere/at/all: "), "{error}");
}

#[test]
fn lists_and_tables_in_every_form() {
    let config = load(&[], &[], "[types]\nPayment = 3\nTrustSet = 0").unwrap();
    assert_eq!(config.types, BTreeMap::from([("Payment".into(), 3), ("TrustSet".into(), 0)]));
    let config = load(&[("types", "Payment=1, AccountSet=2")], &[], "").unwrap();
    assert_eq!(config.types["AccountSet"], 2);
    let config =
        load(&[], &[], "rpc = [\"http://a:1\", \"http://b:1\"]\nws = [\"ws://a:2\", \"ws://b:2\"]")
            .unwrap();
    assert_eq!((config.rpc.len(), config.ws.len()), (2, 2));
}

#[test]
fn accounts_follow_the_load_unless_told() {
    let node = ("rpc", "http://a:1");
    let ws = ("ws", "ws://a:2");
    let slow = Duration::from_secs(3);
    for (flags, accounts) in [
        (vec![], 100),
        (vec![("tps", "200"), node, ws], 300),
        (vec![("tps", "200"), ("max_pending", "10"), node, ws], 150),
        (vec![("tps", "200"), ("accounts", "100"), node, ws], 100),
        (vec![("tps", "0")], 2_000),
        (vec![("tps", "0"), node, ws], 100),
        (vec![("tps", "0"), ("accounts", "7")], 7),
    ] {
        let config = load(&flags, &[], "").unwrap();
        assert_eq!(config.user_accounts(slow), accounts, "{flags:?}");
        assert_eq!(config.capacity(slow).accounts, accounts + 2, "{flags:?}: gateways send too");
    }
}

#[test]
fn times() {
    for (text, ms) in [
        ("500ms", 500),
        ("60s", 60_000),
        ("60", 60_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("0", 0),
        ("1.5s", 1_500),
        ("2d", 172_800_000),
    ] {
        assert_eq!(values::duration(text).unwrap(), Duration::from_millis(ms), "{text}");
    }
    for text in ["", "s", "5x", "-5s", "5 5", "1h30", "∞", "1e9s", "99999999999999999999999d"] {
        assert!(values::duration(text).is_err(), "{text}");
    }
}

#[test]
fn a_named_file_must_exist() {
    let sources = Sources { file: Some("/no/such/file.toml".into()), ..Sources::default() };
    assert!(Config::load(&sources).unwrap_err().to_string().contains("/no/such/file.toml"));
}

#[test]
fn times_of_a_ledger() {
    use super::values::ripple_time;
    for (text, seconds) in [
        ("0", 0),
        ("820540800", 820_540_800),
        ("2000-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", 820_540_800),
        ("2024-02-29T12:34:56Z", 762_525_296),
        ("2136-02-07T06:28:15Z", u32::MAX),
    ] {
        assert_eq!(ripple_time(text), Ok(seconds), "{text}");
    }
    for text in [
        "",
        "now",
        "-1",
        "2026-01-01",
        "1999-12-31T23:59:59Z",
        "2136-02-07T06:28:16Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:+5Z",
    ] {
        assert!(ripple_time(text).unwrap_err().contains("2026-01-31T12:00:00Z"), "{text}");
    }
}

/// Accounts that could not be there are refused before a ledger says that they are.
#[test]
fn what_an_embedded_ledger_cannot_fund_is_refused() {
    let node = ("rpc", "http://127.0.0.1:5005");
    let ws = ("ws", "ws://127.0.0.1:6006");
    for (flags, wrong) in [
        (vec![("fund_drops", "1000000")], "--reserve-base 10000000"),
        (vec![("accounts", "500"), ("fund_drops", "1000000000000000")], "more XRP than there is"),
    ] {
        let error = load(&flags, &[], "").unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
        // A node has its own reserve and its own XRP.
        assert!(load(&[flags, vec![node, ws]].concat(), &[], "").is_ok());
    }
    let enough = [("fund_drops", "1000000"), ("reserve_base", "1000000")];
    assert!(load(&enough, &[], "").is_ok());
}
