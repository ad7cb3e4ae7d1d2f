//! Ends that wait to be told.

use tokio_postgres::{Client, Row};
use xrpl_protocol::{AccountId, LedgerIndex, TxHash};
use xrpl_tracker::{
    Result, RunId,
    record::Latencies,
    store::{End, OutboxStatus, Settled},
};

use crate::{
    columns::{at_most, bytes, name, number, perhaps, perhaps_hash, signed, source, state, text},
    connect::told,
    writes::Done,
};

pub(crate) async fn settle(client: &Client, settled: &Settled) -> Done<()> {
    let numbers = |of: &[u64]| of.iter().map(|n| signed(*n)).collect::<Result<Vec<_>>>();
    let gone = "DELETE FROM ends WHERE seq = ANY($1)";
    let delivered = client.execute(gone, &[&numbers(&settled.delivered)?]).await?;
    let given_up = client.execute(gone, &[&numbers(&settled.given_up)?]).await?;
    for (seq, next_try_ms) in &settled.put_off {
        client
            .execute(
                "UPDATE ends SET tries = tries + 1, next_try_ms = $2,
                    first_try_ms = COALESCE(first_try_ms, $3) WHERE seq = $1",
                &[&signed(*seq)?, &signed(*next_try_ms)?, &signed(settled.now_ms)?],
            )
            .await?;
    }
    client
        .execute(
            "UPDATE deliveries SET delivered = delivered + $1, given_up = given_up + $2",
            &[&signed(delivered)?, &signed(given_up)?],
        )
        .await?;
    Ok(())
}

fn end(row: &Row) -> Result<End> {
    Ok(End {
        seq: number(row, 0)?,
        run: RunId(number(row, 1)?),
        tx_hash: TxHash(bytes(row, 2)?),
        account: AccountId(bytes(row, 3)?),
        transaction_type: text(row, 4)?.unwrap_or_default().into(),
        was: state(row, 5)?,
        state: state(row, 6)?,
        at_ms: number(row, 7)?,
        engine_result: name(row, 8)?,
        validated_ledger: perhaps(row, 9)?.map(LedgerIndex),
        ledger_hash: perhaps_hash(row, 10)?,
        source: source(row, 11)?,
        latencies: Latencies {
            first_answer_ms: perhaps(row, 12)?,
            finality_ms: perhaps(row, 13)?,
            finality_ledgers: perhaps(row, 14)?,
        },
        tries: number(row, 15)?,
        first_try_ms: perhaps(row, 16)?,
    })
}

/// The oldest ends that are due; of one transaction only its oldest, so that they are told in order.
pub(crate) async fn due(client: &Client, now_ms: u64, limit: usize) -> Result<Vec<End>> {
    let rows = client
        .query(
            "SELECT e.seq, t.run, t.hash, t.account, t.transaction_type, e.was, e.state, e.at_ms,
                e.engine_result, e.validated_ledger, e.ledger_hash, e.source, e.first_answer_ms,
                e.finality_ms, e.finality_ledgers, e.tries, e.first_try_ms
             FROM ends AS e JOIN transactions AS t ON t.id = e.transaction_id
             WHERE e.next_try_ms <= $1 AND NOT EXISTS (
                SELECT 1 FROM ends AS earlier
                WHERE earlier.transaction_id = e.transaction_id AND earlier.seq < e.seq)
             ORDER BY e.seq LIMIT $2",
            &[&at_most(now_ms), &at_most(limit as u64)],
        )
        .await
        .map_err(|error| told(&error))?;
    rows.iter().map(end).collect()
}

pub(crate) async fn status(client: &Client) -> Result<OutboxStatus> {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM ends),
                COALESCE((SELECT min(seq) - 1 FROM ends),
                    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ends_seq_seq)),
                delivered, given_up, (SELECT at_ms FROM ends ORDER BY seq LIMIT 1)
             FROM deliveries",
            &[],
        )
        .await
        .map_err(|error| told(&error))?;
    Ok(OutboxStatus {
        backlog: number(&row, 0)?,
        cursor: number(&row, 1)?,
        delivered: number(&row, 2)?,
        given_up: number(&row, 3)?,
        oldest_at_ms: perhaps(&row, 4)?,
        durable: true,
    })
}
