//! `/events`: everything that happens, as server-sent events.

use std::{collections::BTreeSet, fmt::Write, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;
use utoipa_axum::routes;
use xrpl_protocol::AccountId;

use super::{
    ApiError, Routes, Shared,
    extract::{Params, account},
};
use crate::{
    events::{Gap, Happening, Read},
    session::App,
};

/// Readers at once.
pub const READERS: usize = 256;
/// What a quiet stream sends, so that a dead connection shows.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a browser tries again, milliseconds.
const RETRY_MS: u64 = 1_000;
const NAMES: [&str; 3] = ["state", "ledger", "stats"];

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(events))
}

/// What `/events` can be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Names of events, between commas; all if not given.
    events: Option<String>,
    /// Only state changes of this account's transactions.
    account: Option<String>,
    /// The same as the header `Last-Event-ID`.
    last_event_id: Option<String>,
}

/// Which events a reader wants.
#[derive(Debug)]
struct Choice {
    names: BTreeSet<&'static str>,
    account: Option<AccountId>,
}

impl Choice {
    fn takes(&self, happening: &Happening) -> bool {
        match happening {
            // What a reader missed concerns every reader.
            Happening::Gap(_) => true,
            Happening::State(change) => {
                self.names.contains("state") && self.account.is_none_or(|id| id == change.account)
            }
            other => self.names.contains(other.name()),
        }
    }
}

fn names(text: Option<&str>) -> Result<BTreeSet<&'static str>, ApiError> {
    let Some(text) = text else { return Ok(NAMES.into()) };
    text.split(',')
        .map(|name| {
            NAMES.into_iter().find(|known| *known == name).ok_or_else(|| {
                ApiError::bad_request(format!("events: {name:?} is none of {}", NAMES.join(", ")))
            })
        })
        .collect()
}

/// A reader's place.
struct Reader {
    app: Arc<App>,
    bell: watch::Receiver<u64>,
    choice: Choice,
    /// The newest event it was told.
    place: u64,
    /// What it is told before anything else.
    first: Option<String>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

/// Everything that happens, as server-sent events
///
/// `state` for each change of a transaction's state, `ledger` for each validated ledger (again when
/// more is known of it), `stats` each second; `gap` where events were lost, `cut` before a reader
/// that is too slow is cut off, `end` when the run ends. Each has an id to resume after.
#[utoipa::path(get, path = "/events", tag = "state",
    params(Wanted, ("Last-Event-ID" = Option<String>, Header, description = "Resume after this event.")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn events(
    State(app): Shared,
    headers: HeaderMap,
    Params(wanted): Params<Wanted>,
) -> Result<Response, ApiError> {
    let choice = Choice {
        names: names(wanted.events.as_deref())?,
        account: wanted.account.map(|text| account("account", &text)).transpose()?,
    };
    let last = match headers.get("last-event-id") {
        None => wanted.last_event_id,
        Some(value) => {
            let text = value.to_str().map_err(|_| bad_id("not text"))?;
            Some(text.to_owned())
        }
    };
    let permit = Arc::clone(&app.readers).try_acquire_owned().map_err(|_| {
        ApiError::unavailable(format!("{READERS} readers of /events are connected already"))
    })?;
    let bell = app.events.subscribe();
    let mut first = format!("retry: {RETRY_MS}\n\n");
    let mut place = app.events.newest();
    if let Some(last) = last.filter(|last| !last.is_empty()) {
        let (epoch, number) = parse_id(&last)?;
        if epoch == app.started_at_ms {
            place = number.min(place);
            if let Read::Missed(missed) = app.events.after(place) {
                place += missed;
                let gap = Gap { missed: Some(missed), reason: "buffer" };
                write_event(&mut first, Some((epoch, place)), "gap", &gap);
            }
        } else {
            let gap = Gap { missed: None, reason: "another_process" };
            write_event(&mut first, None, "gap", &gap);
        }
    }
    let reader =
        Reader { app, bell, choice, place, first: Some(first), ended: false, _permit: permit };
    let body = Body::from_stream(stream::unfold(reader, next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies must not hold the stream back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The next piece of a reader's stream.
async fn next(mut reader: Reader) -> Option<(std::io::Result<Bytes>, Reader)> {
    if reader.ended {
        return None;
    }
    if let Some(first) = reader.first.take() {
        return Some((Ok(first.into()), reader));
    }
    loop {
        // Marked as seen before the buffer is read: what comes in between rings again.
        reader.bell.mark_unchanged();
        match reader.app.events.after(reader.place) {
            Read::Missed(missed) => {
                let mut text = String::new();
                let resumed = reader.place + missed;
                let gap = Gap { missed: Some(missed), reason: "too_slow" };
                write_event(&mut text, Some((reader.app.started_at_ms, resumed)), "cut", &gap);
                reader.ended = true;
                return Some((Ok(text.into()), reader));
            }
            Read::Events(events) if !events.is_empty() => {
                let text = reader.tell(&events);
                if !text.is_empty() {
                    return Some((Ok(text.into()), reader));
                }
                continue;
            }
            Read::Events(_) => {}
        }
        tokio::select! {
            () = reader.app.end.cancelled() => {
                let mut text = String::new();
                write_event(&mut text, None, "end", &serde_json::json!({"reason": "shutdown"}));
                reader.ended = true;
                return Some((Ok(text.into()), reader));
            }
            woken = tokio::time::timeout(HEARTBEAT, reader.bell.changed()) => match woken {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some((Ok(Bytes::from_static(b": alive\n\n")), reader)),
            },
        }
    }
}

impl Reader {
    fn tell(&mut self, events: &[(u64, Happening)]) -> String {
        let mut text = String::new();
        for (number, happening) in events {
            self.place = *number;
            if !self.choice.takes(happening) {
                continue;
            }
            let id = Some((self.app.started_at_ms, *number));
            let name = happening.name();
            match happening {
                Happening::State(change) => write_event(&mut text, id, name, change),
                Happening::Ledger(event) => write_event(&mut text, id, name, event),
                Happening::Stats(event) => write_event(&mut text, id, name, event),
                Happening::Gap(event) => write_event(&mut text, id, name, event),
            }
        }
        text
    }
}

fn write_event(text: &mut String, id: Option<(u64, u64)>, name: &str, data: &impl Serialize) {
    // Writing to a String cannot fail, and JSON on one line is what data must be.
    let data = match serde_json::to_string(data) {
        Ok(data) => data,
        Err(error) => return tracing::error!(%error, name, "an event could not be told"),
    };
    if let Some((epoch, number)) = id {
        let _ = writeln!(text, "id: {epoch:x}-{number}");
    }
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
}

fn bad_id(what: &str) -> ApiError {
    ApiError::bad_request(format!("Last-Event-ID: {what}; give the id of an event as it came"))
}

fn parse_id(text: &str) -> Result<(u64, u64), ApiError> {
    let (epoch, number) = text.split_once('-').ok_or_else(|| bad_id("it has no '-'"))?;
    let epoch = u64::from_str_radix(epoch, 16).map_err(|_| bad_id("it begins with no number"))?;
    let number = number.parse().map_err(|_| bad_id("it ends with no number"))?;
    Ok((epoch, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let mut text = String::new();
        write_event(&mut text, Some((0x1a2b, 77)), "gap", &"x\ny");
        assert_eq!(text, "id: 1a2b-77\nevent: gap\ndata: \"x\\ny\"\n\n");
        assert_eq!(parse_id("1a2b-77").unwrap(), (0x1a2b, 77));
        for wrong in ["", "7", "x-7", "7-x", "-", "1-2-3", "-1"] {
            let error = format!("{:?}", parse_id(wrong).unwrap_err());
            assert!(error.contains("Last-Event-ID"), "{wrong}: {error}");
        }
    }

    #[test]
    fn names_are_known_or_refused() {
        assert_eq!(names(None).unwrap().len(), 3);
        assert_eq!(names(Some("ledger,state")).unwrap(), BTreeSet::from(["ledger", "state"]));
        assert!(format!("{:?}", names(Some("state,gap")).unwrap_err()).contains("events: \\\"gap"));
    }
}
