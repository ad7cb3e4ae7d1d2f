//! A WebSocket link that misbehaves.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{self, Instant},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, client_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::{
    link::{Blow, Link},
    plan::Action,
};

/// How long a half-open connection is kept.
pub(super) const HALF_OPEN: Duration = Duration::from_secs(600);

/// How long an overtaken message is held back at most, milliseconds.
const OVERTAKEN_MS: u64 = 2_000;

/// Messages on their way, by when they are due; the number keeps equal times in order.
#[derive(Debug, Default)]
struct Way {
    messages: BTreeMap<(Instant, u64), Message>,
    next: u64,
    /// Nothing in order comes before this.
    latest: Option<Instant>,
}

impl Way {
    fn put(&mut self, due: Instant, in_order: bool, message: Message) {
        let due = if in_order { due.max(self.latest.unwrap_or(due)) } else { due };
        if in_order {
            self.latest = Some(due);
        }
        self.next += 1;
        self.messages.insert((due, self.next), message);
    }

    async fn due(&self) {
        match self.messages.first_key_value() {
            Some(((at, _), _)) => time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }
}

/// Passes messages between a client and a node.
pub(super) async fn serve<C, N>(client: C, node: N, mut link: Link)
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    N: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshakes = async {
        let near = accept_async(client).await.ok()?;
        let (far, _) = client_async("ws://node/", node).await.ok()?;
        Some((near, far))
    };
    // A connection can be made to a node that stands still; nobody answers.
    link.thawed().await;
    let Ok(Some((mut near, mut far))) = time::timeout(HALF_OPEN, handshakes).await else { return };
    let mut way = Way::default();
    let mut blows = std::pin::pin!(link.blow());
    let blow = loop {
        let stalled = link.stalled_until();
        tokio::select! {
            biased;
            blow = &mut blows => break blow,
            () = way.due() => {
                let Some((_, message)) = way.messages.pop_first() else { continue };
                tokio::select! {
                    biased;
                    blow = &mut blows => break blow,
                    () = link.thawed() => {}
                }
                // A client that does not read holds this up, and the node's queue grows.
                let sent = tokio::select! {
                    biased;
                    blow = &mut blows => break blow,
                    sent = near.send(message) => sent,
                };
                if sent.is_err() {
                    return;
                }
            }
            message = far.next() => match message {
                Some(Ok(message @ Message::Text(_))) => {
                    if stream_message(&mut link, &mut way, message) {
                        continue;
                    }
                    return break_off(near).await;
                }
                Some(Ok(Message::Close(frame))) => {
                    let _ = near.send(Message::Close(frame)).await;
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            message = near.next(), if stalled.is_none() => match message {
                Some(Ok(message @ Message::Text(_))) => match link.message() {
                    Some(Action::Drop(_)) => {}
                    Some(Action::Break(_)) => return,
                    _ => {
                        link.thawed().await;
                        if far.send(message).await.is_err() {
                            return;
                        }
                    }
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            () = time::sleep_until(stalled.unwrap_or_else(Instant::now)), if stalled.is_some() => {}
        }
    };
    link.hit();
    match blow {
        Blow::Close(code) => {
            let frame = CloseFrame { code: CloseCode::from(code), reason: "planned".into() };
            let close = near.send(Message::Close(Some(frame)));
            let _ = time::timeout(Duration::from_secs(1), close).await;
        }
        Blow::Cut => {}
        Blow::HalfOpen => {
            drop(far);
            time::sleep(HALF_OPEN).await;
        }
    }
}

/// Puts a message of the node on its way, or not. False if the connection breaks off with it.
fn stream_message(link: &mut Link, way: &mut Way, message: Message) -> bool {
    let now = Instant::now();
    let Message::Text(text) = &message else { return true };
    if let Some((chance, skip)) = link.of_ledgers()
        && let Some(ledger) = ledger_index(text)
        && link.ledger_dice(ledger, chance)
    {
        link.hit();
        if !skip {
            way.put(now, true, Message::text(other_hash(text)));
        }
        return true;
    }
    match link.message() {
        Some(Action::Drop(_)) => {}
        Some(Action::Delay(_, most)) => {
            let by = Duration::from_millis(link.below(most));
            way.put(now + by, true, message);
        }
        Some(Action::Duplicate(_)) => {
            way.put(now, true, message.clone());
            way.put(now, true, message);
        }
        Some(Action::Reorder(_)) => {
            let by = Duration::from_millis(link.below(OVERTAKEN_MS));
            way.put(now + by, false, message);
        }
        Some(Action::Truncate(_)) => {
            // Everything the embedded ledger writes is ASCII.
            let at = link.below(text.len() as u64) as usize;
            way.put(now, true, Message::text(text.get(..at).unwrap_or_default()));
        }
        Some(Action::Garbage(_)) => way.put(now, true, Message::text(garbage(link))),
        Some(Action::Break(_)) => return false,
        _ => way.put(now, true, message),
    }
    true
}

/// The first bytes of a frame that promises more, and the end.
async fn break_off<C>(near: WebSocketStream<C>)
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let mut io = near.into_inner();
    let begun = [0x81, 126, 0x20, 0x00, b'{', b'"', b't', b'y', b'p', b'e', b'"', b':'];
    let _ = io.write_all(&begun).await;
    let _ = io.flush().await;
}

/// What no node says.
pub(super) fn garbage(link: &mut Link) -> &'static str {
    const GARBAGE: [&str; 9] = [
        "",
        "}{",
        "null",
        "[]",
        "<html>502 Bad Gateway</html>",
        r#"{"type":"ledgerClosed","ledger_index":"many","txn_count":-1}"#,
        r#"{"type":"transaction","validated":true,"transaction":{},"meta":{}}"#,
        r#"{"type":"response","id":99999999,"result":{}}"#,
        r#"{"type":7,"id":"x","status":[{}]}"#,
    ];
    GARBAGE[link.below(GARBAGE.len() as u64) as usize]
}

/// The ledger that a stream message is about.
fn ledger_index(text: &str) -> Option<u64> {
    const KEY: &str = "\"ledger_index\":";
    if text.contains("\"type\":\"response\"") {
        return None;
    }
    let rest = &text[text.find(KEY)? + KEY.len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

/// The same message with another ledger hash.
fn other_hash(text: &str) -> String {
    const KEY: &str = "\"ledger_hash\":\"";
    let mut other = text.to_owned();
    let mut from = 0;
    while let Some(at) = other[from..].find(KEY).map(|at| from + at + KEY.len()) {
        let digit = if other[at..].starts_with('0') { "1" } else { "0" };
        other.replace_range(at..=at, digit);
        from = at;
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_is_about() {
        let text = r#"{"ledger_hash":"0AB","ledger_index":12,"type":"ledgerClosed"}"#;
        assert_eq!(ledger_index(text), Some(12));
        assert_eq!(ledger_index(r#"{"ledger_index":12,"type":"response"}"#), None);
        assert_eq!(other_hash(text), text.replace("0AB", "1AB"));
    }

    #[tokio::test(start_paused = true)]
    async fn later_messages_wait_for_delayed_ones_and_overtake_others() {
        let (now, mut way) = (Instant::now(), Way::default());
        let second = Duration::from_secs(1);
        way.put(now + second, true, Message::text("delayed"));
        way.put(now + second / 2, false, Message::text("overtaken"));
        way.put(now, true, Message::text("next"));
        let texts: Vec<_> = way.messages.values().map(ToString::to_string).collect();
        assert_eq!(texts, ["overtaken", "delayed", "next"]);
    }
}
