//! A node as another one shows it: only some of its validated ledgers, as one that lags behind or
//! that keeps little history has, a ledger of which it gives no single entries any more, or ledgers
//! without one of their transactions.

#![allow(dead_code, unreachable_pub)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use xrpl_standalone::server::Standalone;

pub struct Veil {
    address: SocketAddr,
    view: Arc<View>,
}

struct View {
    behind: SocketAddr,
    first: AtomicU32,
    last: AtomicU32,
    asked: AtomicUsize,
    forgetful: AtomicBool,
    leaves_out: AtomicBool,
}

impl Veil {
    pub async fn over(node: &Standalone) -> Self {
        let view = Arc::new(View {
            behind: node.rpc_addr,
            first: AtomicU32::new(1),
            last: AtomicU32::new(u32::MAX),
            asked: AtomicUsize::new(0),
            forgetful: AtomicBool::new(false),
            leaves_out: AtomicBool::new(false),
        });
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&view));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, view }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it has these ledgers.
    pub fn shows(&self, first: u32, last: u32) {
        self.view.first.store(first, SeqCst);
        self.view.last.store(last, SeqCst);
    }

    /// From now on it has lost every ledger by the time that an entry of it is asked for.
    pub fn forgets_entries(&self) {
        self.view.forgetful.store(true, SeqCst);
    }

    /// From now on it leaves a transaction out of each ledger.
    pub fn leaves_out(&self) {
        self.view.leaves_out.store(true, SeqCst);
    }

    /// Waits until it was asked so often for a ledger.
    pub async fn asked(&self, times: usize) {
        while self.view.asked.load(SeqCst) < times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(State(view): State<Arc<View>>, Json(mut request): Json<Value>) -> Json<Value> {
    let (first, last) = (view.first.load(SeqCst), view.last.load(SeqCst));
    if request["method"] == "ledger" {
        view.asked.fetch_add(1, SeqCst);
        let wanted = request["params"][0]["ledger_index"].clone();
        match wanted.as_u64() {
            Some(index) if !(u64::from(first)..=u64::from(last)).contains(&index) => {
                return gone(&request);
            }
            // `validated`
            None if last < u32::MAX => request["params"][0]["ledger_index"] = json!(last),
            _ => {}
        }
    }
    if request["method"] == "ledger_entry" && view.forgetful.load(SeqCst) {
        return gone(&request);
    }
    let mut answer = forward(view.behind, &request).await;
    if view.leaves_out.load(SeqCst)
        && let Some(listed) = answer.pointer_mut("/result/ledger/transactions")
    {
        listed.as_array_mut().unwrap().pop();
    }
    Json(answer)
}

fn gone(request: &Value) -> Json<Value> {
    Json(json!({"result": {
        "error": "lgrNotFound", "error_code": 21, "error_message": "ledgerNotFound",
        "status": "error", "request": request["params"][0],
    }}))
}

async fn forward(node: SocketAddr, request: &Value) -> Value {
    super::common::ask(node, "POST", "/", &[], Some(&request.to_string())).await.json()
}
