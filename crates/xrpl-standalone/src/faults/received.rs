//! Every transaction that reached a node of the network by a request.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value as Json;
use xrpl_protocol::{TxHash, hash::transaction_hash};

/// What reached the nodes, shared by all connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Arc<Mutex<Blobs>>);

#[derive(Debug, Default)]
struct Blobs {
    /// Those that a node may pass on, in the order of their arrival.
    open: Vec<Arc<[u8]>>,
    /// Whether each came without `fail_hard`.
    known: HashMap<TxHash, bool>,
}

impl Received {
    /// Notes the blob of a `submit` request; others are nothing to it.
    pub(super) fn request(&self, body: &[u8]) {
        // Most requests are of other methods, and need not be read.
        if !body.windows(7).any(|word| word == b"tx_blob") {
            return;
        }
        let Ok(request) = serde_json::from_slice::<Json>(body) else { return };
        let Some(params) = request.pointer("/params/0") else { return };
        let blob = params.get("tx_blob").and_then(Json::as_str);
        let Some(blob) = blob.and_then(|text| const_hex::decode(text).ok()) else { return };
        let fail_hard = params.get("fail_hard").and_then(Json::as_bool) == Some(true);
        let mut blobs = self.0.lock();
        let known = blobs.known.entry(transaction_hash(&blob)).or_default();
        if !fail_hard && !*known {
            *known = true;
            blobs.open.push(blob.into());
        }
    }

    /// Whether a transaction reached any node.
    pub(super) fn has(&self, hash: &TxHash) -> bool {
        self.0.lock().known.contains_key(hash)
    }

    /// Those that some node may have passed on, so that anybody may have them.
    pub(super) fn public(&self) -> Vec<Arc<[u8]>> {
        self.0.lock().open.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_may_pass_on_and_what_it_may_not() {
        let received = Received::default();
        let request = |blob: &str, hard: bool| {
            format!(r#"{{"method":"submit","params":[{{"tx_blob":"{blob}","fail_hard":{hard}}}]}}"#)
        };
        let hash = |blob: &[u8]| transaction_hash(blob);
        received.request(request("AA01", true).as_bytes());
        received.request(request("AA02", false).as_bytes());
        received.request(br#"{"method":"fee","params":[{}]}"#);
        received.request(b"tx_blob, but no request");
        assert!(received.has(&hash(&[0xAA, 1])) && received.has(&hash(&[0xAA, 2])));
        assert!(!received.has(&hash(&[0xAA, 3])));
        assert_eq!(received.public(), [Arc::from([0xAA_u8, 2])]);
        received.request(request("AA01", false).as_bytes());
        received.request(request("AA01", false).as_bytes());
        assert_eq!(received.public().len(), 2, "it came without fail_hard in the end");
    }
}
