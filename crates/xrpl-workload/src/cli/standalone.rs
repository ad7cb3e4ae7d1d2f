//! `standalone`: only the embedded ledger.

use std::io;

use serde_json::{Value as Json, json};
use xrpl_standalone::Closing;

use super::Exit;
use crate::{
    config::Config,
    embedded::{self, Embedded},
    output,
    session::Stop,
};

/// The account that has all XRP of a fresh ledger. Everybody knows its seed.
const GENESIS: (&str, &str) =
    ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb");

/// Runs until asked to end.
pub(super) async fn run(config: Config) -> Exit {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let ledger = match embedded::start_alone(&config).await {
        Ok(ledger) => ledger,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            return Exit::Setup;
        }
    };
    if config.json {
        super::print(&described(&config, &ledger).to_string());
    } else if !config.quiet {
        super::print(&for_people(&config, &ledger));
    }
    if config.exit_on_stdin_eof {
        end_with_standard_input(stop.clone());
    }
    stop.soon.cancelled().await;
    signals.abort();
    let saved = ledger.standalone().save().await;
    ledger.shutdown().await;
    match saved {
        Ok(()) => Exit::Success,
        Err(error) => {
            output::error_line(&format!("error: the state file could not be written: {error}"));
            Exit::Setup
        }
    }
}

/// Waits on a thread of its own: a read of standard input cannot be called off.
fn end_with_standard_input(stop: Stop) {
    std::thread::spawn(move || {
        // An error is an end too.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        stop.soon.cancel();
    });
}

/// What a script needs to know, in one line.
fn described(config: &Config, ledger: &Embedded) -> Json {
    let server = ledger.standalone();
    let accounts = server.accounts().iter().map(|account| {
        json!({
            "address": account.address.to_string(),
            "seed": account.seed.to_base58(),
            "key_type": account.seed.key_type().to_string(),
            "drops": config.fund_drops.to_string(),
        })
    });
    json!({
        "event": "listening",
        "rpc": format!("http://{}", server.rpc_addr),
        "ws": format!("ws://{}", server.ws_addr),
        "explorer": format!("http://{}/", server.rpc_addr),
        "faucet": format!("http://{}/accounts", server.rpc_addr),
        "network_id": server.network_id(),
        "accounts": accounts.collect::<Vec<_>>(),
    })
}

fn for_people(config: &Config, ledger: &Embedded) -> String {
    let server = ledger.standalone();
    let closes = match server.closing() {
        Closing::Interval(interval) => format!("closes every {interval:?}"),
        Closing::Manual => "closes by ledger_accept".to_owned(),
        Closing::OnSubmit => "closes on each submission".to_owned(),
    };
    let mut text = format!("{}; {closes}", ledger.describe());
    text += &format!(
        "\nnetwork id {}; explorer http://{}/, faucet http://{1}/accounts",
        server.network_id(),
        server.rpc_addr
    );
    if !server.accounts().is_empty() {
        text += &format!(
            "\naccounts with {} XRP each; anybody can have these seeds, use them nowhere else:",
            config.fund_drops as f64 / 1e6
        );
    }
    for (n, account) in server.accounts().iter().enumerate() {
        text += &format!("\n{n:>4}  {:<34}  {}", account.address, account.seed.to_base58());
    }
    text + &format!("\n all  {:<34}  {}", GENESIS.0, GENESIS.1)
}
