//! A WebSocket connection: requests matched by `id`, and its share of the streams.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::{Shared, http::redacted};
use crate::{
    rpc::{self, ApiShape, PathRequest, Role, RpcError},
    streams::{Outgoing, Queue, ledger_snapshot},
};

pub(super) struct WsConnection {
    shared: Arc<Shared>,
    id: u64,
    queue: Queue,
    role: Role,
    /// Paths are searched since the last request.
    new_paths: AtomicBool,
}

impl WsConnection {
    pub(super) async fn run<I>(shared: Arc<Shared>, stream: WebSocketStream<I>, role: Role)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let id = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (queue, mut outgoing) = Queue::new();
        let this = Self { shared, id, queue, role, new_paths: AtomicBool::new(false) };
        let (mut sink, mut source) = stream.split();
        let writer = async {
            while let Some(message) = outgoing.recv().await {
                let text = match message {
                    Outgoing::Message(message) => message.text(),
                    Outgoing::Text(text) => text,
                    Outgoing::Close(code, reason) => {
                        let frame =
                            CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                        let _ = sink.send(Message::Close(Some(frame))).await;
                        return;
                    }
                };
                this.queue.written();
                // Flushed once the queue is empty.
                let sent = match outgoing.is_empty() {
                    true => sink.send(Message::Text(text)).await,
                    false => sink.feed(Message::Text(text)).await,
                };
                if sent.is_err() {
                    return;
                }
            }
        };
        let reader = async {
            while let Some(Ok(message)) = source.next().await {
                let text = match message {
                    Message::Text(text) => text,
                    Message::Binary(bytes) => match Utf8Bytes::try_from(bytes) {
                        Ok(text) => text,
                        Err(_) => continue,
                    },
                    Message::Close(_) => return,
                    _ => continue,
                };
                this.shared.until_open().await;
                let answer = this.shared.complete(|| this.request(&text)).await;
                let answer = answer.unwrap_or_else(|error| this.without_origin(&text, &error));
                if !this.queue.send(Outgoing::Text(answer.to_string().into()), usize::MAX) {
                    return;
                }
                if this.new_paths.swap(false, Ordering::Relaxed) {
                    this.send_paths();
                }
            }
        };
        tokio::select! {
            biased;
            () = writer => {}
            () = reader => {}
        }
        // Answers a close from the other side; a peer that is gone must not hold the task.
        let _ = time::timeout(Duration::from_secs(1), sink.close()).await;
        this.shared.streams.lock().leave(this.id);
    }

    fn request(&self, text: &str) -> Json {
        let Ok(Json::Object(request)) = super::json::parse(text.as_bytes()) else {
            return json!({"error": "jsonInvalid", "type": "error", "value": text});
        };
        let command = match (request.get("command"), request.get("method")) {
            (Some(command), Some(method)) if command != method => None,
            (command, method) => command.or(method),
        };
        let answer = match command.and_then(Json::as_str) {
            Some("subscribe") => self.subscribe(&request),
            Some("unsubscribe") => {
                self.shared.streams.lock().unsubscribe(self.id, &request).map(|()| Map::new())
            }
            Some("path_find") => self.path_find(&request),
            Some("ping") => {
                rpc::handle(&self.shared, "ping", &request, self.role).map(|mut answer| {
                    if self.role == Role::Admin {
                        answer.insert("unlimited".into(), true.into());
                    }
                    answer
                })
            }
            Some(command) => rpc::handle(&self.shared, command, &request, self.role),
            None => Err(RpcError::new("missingCommand", 0, "")),
        };
        let mut message = match answer {
            Ok(result) => rpc::object(json!({"result": result, "status": "success"})),
            Err(error) => {
                let mut members = error.to_members();
                members.insert("status".into(), "error".into());
                members.insert("request".into(), redacted(&request).into());
                members
            }
        };
        message.insert("type".into(), "response".into());
        for key in ["id", "jsonrpc", "ripplerpc", "api_version"] {
            if let Some(value) = request.get(key) {
                message.insert(key.into(), value.clone());
            }
        }
        message.into()
    }

    /// What is answered where a fork's origin does not answer.
    fn without_origin(&self, text: &str, error: &std::io::Error) -> Json {
        let request = serde_json::from_str::<Json>(text).unwrap_or_default();
        json!({
            "error": "noNetwork",
            "error_code": 17,
            "error_message": format!("The fork's origin does not answer: {error}"),
            "id": request["id"],
            "status": "error",
            "type": "response",
        })
    }

    fn path_find(&self, params: &Map<String, Json>) -> Result<Map<String, Json>, RpcError> {
        let shape = ApiShape::of(params)?;
        let subcommand = rpc::subcommand(params)?;
        match subcommand {
            "create" => {
                let ledger = Arc::clone(self.shared.node().validated());
                let created = PathRequest::create(params, &*ledger, self.shared.is_fork());
                let (paths, answer) = created
                    .map(|(paths, answer)| (Some(paths), Ok(answer)))
                    .unwrap_or_else(|error| (None, Err(error)));
                self.new_paths.store(paths.is_some(), Ordering::Relaxed);
                self.shared.streams.lock().set_paths(self.id, &self.queue, shape, paths);
                answer
            }
            "close" | "status" => {
                let mut streams = self.shared.streams.lock();
                let paths = streams.paths(self.id).ok_or_else(rpc::no_request)?;
                if subcommand == "status" {
                    return Ok(paths.status("status", "success"));
                }
                let closed = paths.status("closed", true);
                streams.set_paths(self.id, &self.queue, shape, None);
                Ok(closed)
            }
            _ => Err(RpcError::invalid("Invalid parameters.")),
        }
    }

    /// Sends paths twice to who has just asked: xrpld searches them for new requests, and then again
    /// for all.
    fn send_paths(&self) {
        let ledger = Arc::clone(self.shared.node().validated());
        let mut streams = self.shared.streams.lock();
        for _ in 0..2 {
            streams.send_paths(&ledger, Some(self.id));
        }
    }

    fn subscribe(&self, params: &Map<String, Json>) -> Result<Map<String, Json>, RpcError> {
        let shape = ApiShape::of(params)?;
        let node = self.shared.node();
        let (ledger, server) =
            self.shared.streams.lock().subscribe(self.id, &self.queue, params, shape)?;
        let looked = rpc::Looked::Closed(Arc::clone(node.validated()));
        let mut answer = rpc::snapshots(&looked, params)?;
        if ledger {
            answer.extend(ledger_snapshot(node.validated(), node.range(), node.network_id()));
        }
        if server {
            let fees = node.server_fees();
            answer.extend(rpc::object(json!({
                "hostid": "embedded",
                "load_base": fees.load_base,
                "load_factor": fees.load_factor(),
                "pubkey_node": self.shared.node_key,
                "random": const_hex::encode_upper(rand::random::<[u8; 32]>()),
                "server_status": "full",
                "stand_alone": true,
            })));
        }
        Ok(answer)
    }
}
