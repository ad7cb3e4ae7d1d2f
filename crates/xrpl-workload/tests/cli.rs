//! The program from outside: `submit`, `config`, and errors that say what to do.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{net::TcpListener as StdListener, process::Output};

use common::program;
use outside::{node, output, report, run, texts};
use serde_json::{Value as Json, json};
use xrpl_generator::accounts::{Role, derive};
use xrpl_protocol::{
    AccountId, Definitions, Object, fields,
    keys::{KeyPair, KeyType, Seed},
    sign::sign,
};
use xrpl_standalone::{ledger::ReadView as _, server::Standalone};

const MASTER: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
const OTHER: &str = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe";

/// Runs the program; the node goes on meanwhile.
async fn call(args: Vec<String>, env: Vec<(&'static str, String)>) -> Output {
    tokio::task::spawn_blocking(move || {
        let dir = tempfile::tempdir().unwrap();
        program(dir.path()).args(args).envs(env).output().unwrap()
    })
    .await
    .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

async fn submit(node: &Standalone, transaction: &str, more: &[&str]) -> Output {
    let mut args = vec![
        "submit".to_owned(),
        transaction.to_owned(),
        format!("--rpc=http://{}", node.rpc_addr),
        format!("--ws=ws://{}", node.ws_addr),
        "--check-interval=500ms".into(),
    ];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    call(args, vec![("XRPL_WORKLOAD_SECRET", MASTER.into())]).await
}

fn payment(more: Json) -> String {
    let mut tx = json!({
        "TransactionType": "Payment", "Account": GENESIS, "Destination": OTHER, "Amount": "1000000000",
    });
    for (name, value) in more.as_object().unwrap() {
        tx[name] = value.clone();
    }
    tx.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn submit_tells_the_outcome_by_its_exit_code() {
    let node = node().await;
    let success = submit(&node, &payment(json!({})), &["--json"]).await;
    assert_eq!(code(&success), 0, "{}", texts(&success));
    let last = String::from_utf8(success.stdout).unwrap();
    let end: Json = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!(end["outcome"]["state"], "VALIDATED");
    assert_eq!(end["outcome"]["engine_result"], "tesSUCCESS");

    // 10: a tec claims its fee.
    let other = "rrrrrrrrrrrrrrrrrrrrBZbvji";
    let claimed = submit(&node, &payment(json!({"Destination": other, "Amount": "1"})), &[]).await;
    assert_eq!(code(&claimed), 10, "{}", texts(&claimed));
    assert!(texts(&claimed).contains("tecNO_DST_INSUF_XRP"), "{}", texts(&claimed));

    // 11: refused for good.
    let refused = submit(&node, &payment(json!({"Sequence": 1})), &[]).await;
    assert_eq!(code(&refused), 11, "{}", texts(&refused));

    // 12: a gap in Sequences that nobody fills.
    let expired =
        submit(&node, &payment(json!({"Sequence": 1000})), &["--last-ledger-offset=4"]).await;
    assert_eq!(code(&expired), 12, "{}", texts(&expired));

    // 14: no end within the time given.
    let undecided = submit(&node, &payment(json!({"Sequence": 2000})), &["--timeout=1s"]).await;
    assert_eq!(code(&undecided), 14, "{}", texts(&undecided));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submit_takes_blobs_files_and_secrets_from_files() {
    let node = node().await;
    let dir = tempfile::tempdir().unwrap();
    let key = KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let tx = json!({
        "TransactionType": "AccountSet", "Account": GENESIS, "Sequence": 1, "Fee": "10",
        "LastLedgerSequence": 1000,
    });
    let blob = sign(Object::from_json(&tx, Definitions::builtin()).unwrap(), &key).blob;
    let done = submit(&node, &const_hex::encode(&blob), &[]).await;
    assert_eq!(code(&done), 0, "{}", texts(&done));
    let file = dir.path().join("tx.json");
    std::fs::write(&file, payment(json!({}))).unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, format!("{MASTER}\n")).unwrap();
    let args = vec![
        "submit".into(),
        format!("@{}", file.display()),
        format!("--secret-file={}", secret.display()),
        format!("--rpc=http://{}", node.rpc_addr),
        format!("--ws=ws://{}", node.ws_addr),
    ];
    let done = call(args, vec![]).await;
    assert_eq!(code(&done), 0, "{}", texts(&done));
    node.shutdown().await;
}

/// What is given is signed as it stands or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn submit_understands_what_people_write() {
    let node = node().await;
    // Names of flags, and a Payment as api_version 2 writes it, with what an answer adds.
    let set = json!({"TransactionType": "AccountSet", "SetFlag": "asfRequireDest", "ctid": "C0"});
    let done = submit(&node, &set.to_string(), &[]).await;
    assert_eq!(code(&done), 0, "{}", texts(&done));
    assert!(texts(&done).contains("ignored") && texts(&done).contains("ctid"));
    let id: AccountId = OTHER.parse().unwrap();
    let answer = json!({"result": {
        "hash": "00", "validated": true, "tx_json": {
            "TransactionType": "Payment", "DeliverMax": "1000000000", "date": 1,
            "Flags": {"tfPartialPayment": false}, "Destination": id.to_x_address(Some(7), false),
        },
    }});
    let done = submit(&node, &answer.to_string(), &["--json"]).await;
    assert_eq!(code(&done), 0, "{}", texts(&done));
    let end: Json = serde_json::from_slice(&done.stdout).unwrap();
    let blob = const_hex::decode(end["dossier"]["tx_blob"].as_str().unwrap()).unwrap();
    let sent = Object::decode(&blob, Definitions::builtin()).unwrap();
    assert_eq!(sent.u32(fields::DESTINATION_TAG), Some(7));
    assert_eq!(sent.account(fields::DESTINATION), Some(id));

    // What it sent, copied from the ledger: it is signed, and the ledger has it.
    let request = json!({"method": "tx", "params": [{"transaction": end["dossier"]["tx_hash"]}]});
    let answer = node.request(request.as_object().unwrap()).unwrap();
    let again = submit(&node, &answer.to_string(), &[]).await;
    assert_eq!(code(&again), 0, "{}", texts(&again));
    assert!(texts(&again).contains("submitted as it is"), "{}", texts(&again));
    // Changed, the signature is another's.
    let forged = answer.to_string().replace("1000000000", "1000000001");
    let forged = submit(&node, &forged, &[]).await;
    assert_eq!(code(&forged), 2, "{}", texts(&forged));
    assert!(texts(&forged).contains("signed again"), "{}", texts(&forged));

    let tagged = id.to_x_address(Some(1), false);
    for (more, named) in [
        (json!({"Destination": tagged, "DestinationTag": 2}), "tag 1"),
        (json!({"Destination": id.to_x_address(None, true)}), "test networks"),
        (json!({"DeliverMax": "1"}), "DeliverMax"),
        (json!({"Flags": ["tfSell"]}), "OfferCreate"),
        (json!({"Destinaton": OTHER}), "did you mean"),
        (json!({"Fee": "100001"}), "--max-fee-drops 100001"),
        (json!({"SigningPubKey": "02".repeat(33)}), "SigningPubKey"),
        (
            json!({"Amount": {"currency": "USD", "issuer": OTHER, "value": "1e-96"}}),
            "cannot be represented",
        ),
    ] {
        let refused = submit(&node, &payment(more.clone()), &[]).await;
        assert_eq!(code(&refused), 2, "{more}: {}", texts(&refused));
        let words = texts(&refused).replace("too small to be", "cannot be");
        assert!(words.contains(named), "{more}: {}", texts(&refused));
    }
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submit_pays_what_a_type_costs_and_says_when_a_fee_is_too_low() {
    let node = node().await;
    let increment = node.with_node(|node| node.current().info().fees.increment);
    // The embedded ledger may refuse the type itself; what was signed is what is looked at.
    let delete = json!({"TransactionType": "AccountDelete", "Destination": OTHER});
    let sent = submit(&node, &delete.to_string(), &["--json", "--timeout=1s"]).await;
    let end: Json = serde_json::from_slice(&sent.stdout).unwrap();
    let blob = const_hex::decode(end["dossier"]["tx_blob"].as_str().unwrap()).unwrap();
    let tx = Object::decode(&blob, Definitions::builtin()).unwrap();
    let fee = tx.amount(fields::FEE).and_then(|fee| fee.drops());
    assert_eq!(fee, Some(increment.cast_signed()), "{}", texts(&sent));
    let refused = submit(&node, &delete.to_string(), &["--max-fee-drops=100000"]).await;
    assert_eq!(code(&refused), 3, "{}", texts(&refused));
    assert!(texts(&refused).contains("--max-fee-drops"), "{}", texts(&refused));

    let low = submit(&node, &payment(json!({"Fee": "1"})), &["--timeout=1s"]).await;
    assert_eq!(code(&low), 14, "{}", texts(&low));
    assert!(texts(&low).contains("can never be enough"), "{}", texts(&low));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submit_refuses_wrong_input_before_anything_is_sent() {
    for (transaction, named) in [
        ("zz", "neither hex nor JSON"),
        ("{", "not valid JSON"),
        ("1200", "not a transaction"),
        ("@/no/such/file", "/no/such/file"),
        (r#"{"TransactionType":"Nonsense"}"#, "Nonsense"),
    ] {
        let output = call(
            vec![
                "submit".into(),
                transaction.into(),
                "--rpc=http://127.0.0.1:1".into(),
                "--ws=ws://127.0.0.1:1".into(),
            ],
            vec![("XRPL_WORKLOAD_SECRET", MASTER.into())],
        )
        .await;
        assert_eq!(code(&output), 2, "{transaction}: {}", texts(&output));
        assert!(texts(&output).contains(named), "{transaction}: {}", texts(&output));
        assert!(!texts(&output).contains(MASTER));
    }
    let unsigned = call(vec!["submit".into(), payment(json!({}))], vec![]).await;
    assert_eq!(code(&unsigned), 2);
    assert!(texts(&unsigned).contains("--secret-file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_says_why_and_what_to_do() {
    let taken = StdListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (args, exit, named) in [
        (vec!["run", "--api-bind", &address], 3, vec!["--api-bind", &address]),
        (
            vec!["standalone", "--rpc-bind", &address, "--ws-bind", "127.0.0.1:0"],
            3,
            vec!["--rpc-bind"],
        ),
        (
            vec!["run", "--no-api", "--rpc", "http://127.0.0.1:1", "--ws", "ws://127.0.0.1:1"],
            3,
            vec!["no node answers", "127.0.0.1:1"],
        ),
        (
            vec!["run", "--store", "/no/such/dir/x.db", "--api-bind", "127.0.0.1:0"],
            3,
            vec!["--store", "memory"],
        ),
        (vec!["run", "--tps", "fast"], 2, vec!["--tps fast"]),
        (vec!["run", "--tpz", "5"], 2, vec!["--tps"]),
        (vec!["rum"], 2, vec!["run"]),
        (vec!["standalone", "--tps", "5"], 2, vec!["--tps"]),
        (vec!["run", "--rpc", "http://127.0.0.1:1"], 2, vec!["--ws"]),
        (vec!["run", "--types", "Paymnt=3"], 2, vec!["--types Paymnt=3", "\"Payment\""]),
        (vec!["run", "--types", "NoSuchType=3"], 2, vec!["NoSuchType", "there are Payment"]),
        (vec!["run", "--currencies", "EURO"], 2, vec!["EURO", "three letters"]),
        (vec!["run", "--tsp", "5"], 2, vec!["similar", "'--tps'"]),
        (vec!["rn"], 2, vec!["similar", "'run'"]),
        (vec!["run", "--config", "none.toml"], 2, vec!["none.toml"]),
    ] {
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let output = call(args.clone(), vec![]).await;
        let text = texts(&output);
        assert_eq!(code(&output), exit, "{args:?}: {text}");
        for name in named {
            assert!(text.contains(name), "{args:?} lacks {name}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn config_shows_origins_and_hides_secrets() {
    let output = call(
        vec!["config".into(), "--as-json".into(), "--tps".into(), "7".into()],
        vec![
            ("XRPL_WORKLOAD_ACCOUNTS", "33".into()),
            ("XRPL_WORKLOAD_FUNDING_SECRET", MASTER.into()),
            ("RPC_URL", "http://a:5005".into()),
            ("WS_URL", "ws://a:6006".into()),
        ],
    )
    .await;
    assert_eq!(code(&output), 0, "{}", texts(&output));
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    for (key, value, origin) in [
        ("tps", "7", "flag"),
        ("accounts", "33", "XRPL_WORKLOAD_ACCOUNTS"),
        ("rpc", "http://a:5005", "RPC_URL"),
        ("funding_secret", "<redacted>", "XRPL_WORKLOAD_FUNDING_SECRET"),
        ("gateways", "2", "default"),
    ] {
        assert_eq!((&json[key]["value"], &json[key]["origin"]), (&json!(value), &json!(origin)));
    }
    let unknown = call(vec!["config".into()], vec![("XRPL_WORKLOAD_TPZ", "1".into())]).await;
    assert_eq!(code(&unknown), 2);
    assert!(texts(&unknown).contains("XRPL_WORKLOAD_TPS"), "{}", texts(&unknown));
}

/// Accounts that somebody else made, given by their secrets: nothing is derived, nothing is funded.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_given_accounts_uses_those_alone() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    let mut first = program(folder.path());
    first.args(run(&node, "theirs", "1s"));
    let ended = output(first).await;
    assert_eq!(code(&ended), 0, "{}", texts(&ended));
    let of = |role, n| derive("theirs", role, n, KeyType::Ed25519);
    let mut seeds = vec![of(Role::Gateway, 0)];
    seeds.extend((0..4).map(|n| of(Role::User, n)));
    let secrets: Vec<_> = seeds.iter().map(Seed::to_base58).collect();
    std::fs::write(folder.path().join("accounts"), secrets.join("\n")).unwrap();

    let given = ["--accounts-file", "accounts", "--gateways", "1", "--currencies", "USD"];
    let load = ["--store", "given.db", "--json", "--tps", "50", "--duration", "2s"];
    let mut second = program(folder.path());
    second.args(["run", "--no-api"]).args(given).args(load);
    second.arg(format!("--rpc=http://{}", node.rpc_addr));
    second.arg(format!("--ws=ws://{}", node.ws_addr));
    let ended = output(second).await;
    assert_eq!(code(&ended), 0, "{}", texts(&ended));
    let summary: Json = serde_json::from_slice(
        ended.stdout.split(|c| *c == b'\n').rfind(|l| !l.is_empty()).unwrap(),
    )
    .unwrap();
    assert!(summary["submitted"].as_u64().unwrap() >= 50, "{summary}");
    assert!(secrets.iter().all(|secret| !texts(&ended).contains(secret)));

    // They and nobody else sent; what the first run sent before is not in this one's range.
    let mut audited = program(folder.path());
    audited.args(["audit", "--json", "--store", "given.db", "--accounts-file", "accounts"]);
    audited.args(["--gateways", "1", &format!("--node=http://{}", node.rpc_addr)]);
    let ended = output(audited).await;
    let audited = report(&ended);
    assert_eq!((code(&ended), &audited["accounts"]), (0, &json!(5)), "{audited}");
    assert_eq!(audited["in_ledgers"], summary["submitted"]);

    // An embedded ledger has none of them.
    let mut embedded = program(folder.path());
    embedded.args(["run", "--no-api", "--store", "memory", "--duration", "1s"]).args(given);
    embedded.args(["--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0"]);
    let ended = output(embedded).await;
    let said = texts(&ended);
    assert_eq!(code(&ended), 3, "{said}");
    assert!(said.contains("does not exist on this network. An embedded ledger"), "{said}");
}
