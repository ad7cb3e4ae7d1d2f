use xrpl_tracker::State;
use xrpl_workload::cli::Exit;

use crate::{kept, table};

#[test]
fn states() {
    let rows = |terminal: bool| {
        let states = State::ALL.into_iter().filter(move |state| state.is_terminal() == terminal);
        table(
            ["state", "meaning"],
            states.map(|state| [state.name().to_owned(), state.meaning().to_owned()]),
        )
    };
    let page = format!(
        "# States of a transaction\n\n\
         ## Terminal\n\n\
         A terminal state is a fact about the ledger. It is given only with evidence, which `xrpl-workload tx HASH`\n\
         and `GET /state/tx/{{hash}}` show.\n\n{}\n\
         It changes in two cases only. A validated ledger outranks a refusal: REJECTED becomes VALIDATED, and counts\n\
         as *overturned*. And where the network turns out to have another ledger than the one a state rests on, the\n\
         transaction is open again and decided from the true ledger; it counts as *revoked*.\n\n\
         ## Open\n\n{}\n\
         A transaction past its LastLedgerSequence for which no node has the ledgers that could prove its absence is\n\
         still open, and counts as *undecided*. No state is ever given because time has passed.\n\n\
         [Why so](../explanation.md).\n",
        rows(true),
        rows(false),
    );
    kept("states.md", &page);
}

#[test]
fn exit_codes() {
    let rows = Exit::ALL.iter().map(|exit| [(*exit as u8).to_string(), exit.meaning().to_owned()]);
    let page = format!("# Exit codes\n\n{}", table(["code", "meaning"], rows));
    kept("exit-codes.md", &page);
}
