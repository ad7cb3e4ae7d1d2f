//! Hidden balances as far as they are built: what is refused before any proof is looked at.

mod bed;

use bed::{Bed, genesis, key};
use serde_json::{Value as Json, json};
use xrpl_protocol::{Definitions, MptId, Object, fields, keys::KeyPair};
use xrpl_standalone::{
    ledger::{Amendment, ReadView},
    node::NodeConfig,
};

/// Issues.
fn issuer() -> KeyPair {
    key(1)
}

/// Holds.
fn holder() -> KeyPair {
    key(3)
}

struct World {
    bed: Bed,
    token: MptId,
}

impl World {
    fn new() -> Self {
        let named = Amendment::selection(["all", "+ConfidentialTransfer"]).unwrap();
        let amendments = named.into_iter().map(Amendment::id).collect();
        let mut bed = Bed::new(NodeConfig { amendments, ..NodeConfig::default() });
        for n in 1..=4 {
            let pay = bed.payment(&genesis(), key(n).account_id(), 1_000_000_000);
            assert_eq!(bed.submit(&pay).name(), "tesSUCCESS");
        }
        bed.close();
        let sequence = bed.sequence(issuer().account_id());
        Self { bed, token: MptId::new(sequence, issuer().account_id()) }
    }

    fn send(&mut self, from: &KeyPair, tx: Json) -> &'static str {
        let mut json = json!({
            "Account": from.account_id().to_string(),
            "Fee": "100",
            "Flags": 0,
            "Sequence": self.bed.sequence(from.account_id()),
        });
        let members = json.as_object_mut().unwrap();
        members.extend(tx.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let tx = Object::from_json(&json, Definitions::builtin()).unwrap();
        let result = self.bed.sign_and_submit(tx, from);
        self.bed.close();
        result.name()
    }

    /// What a conversion of 5 says that differs from a good one so.
    fn convert(&mut self, changes: Json) -> &'static str {
        let mut tx = json!({
            "TransactionType": "ConfidentialMPTConvert",
            "MPTokenIssuanceID": self.token.to_string(),
            "MPTAmount": "5",
            "HolderEncryptionKey": point(3),
            "ZKProof": "00".repeat(64),
            "HolderEncryptedAmount": point(1) + &point(3),
            "IssuerEncryptedAmount": point(3) + &point(1),
            "BlindingFactor": "01".repeat(32),
        });
        tx.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.send(&holder(), tx)
    }

    fn issue(&mut self, flags: u32) {
        let tx = json!({"TransactionType": "MPTokenIssuanceCreate", "Flags": flags});
        assert_eq!(self.send(&issuer(), tx), "tesSUCCESS");
    }

    fn give(&mut self, value: &str) {
        let id = self.token.to_string();
        let tx = json!({"TransactionType": "MPTokenAuthorize", "MPTokenIssuanceID": id});
        assert_eq!(self.send(&holder(), tx), "tesSUCCESS");
        let tx = json!({
            "TransactionType": "Payment",
            "Destination": holder().account_id().to_string(),
            "Amount": {"mpt_issuance_id": id, "value": value},
        });
        assert_eq!(self.send(&issuer(), tx), "tesSUCCESS");
    }

    fn set_keys(&mut self) {
        let tx = json!({
            "TransactionType": "MPTokenIssuanceSet",
            "MPTokenIssuanceID": self.token.to_string(),
            "IssuerEncryptionKey": point(1),
        });
        assert_eq!(self.send(&issuer(), tx), "tesSUCCESS");
    }
}

/// A point of the curve.
fn point(n: u8) -> String {
    key(n).public_key().to_string()
}

const CAN_LOCK: u32 = 0x02;
const CAN_TRANSFER: u32 = 0x20;
const CAN_CLAWBACK: u32 = 0x40;
const CAN_HOLD_CONFIDENTIAL_BALANCE: u32 = 0x80;

#[test]
fn conversions_are_looked_at_up_to_their_proofs() {
    let mut world = World::new();
    let off_the_curve = format!("02{}", "FF".repeat(32));
    for (changes, expected) in [
        (
            json!({"MPTokenIssuanceID": MptId::new(1, holder().account_id()).to_string()}),
            "temMALFORMED",
        ),
        (json!({"MPTAmount": "9223372036854775808"}), "temBAD_AMOUNT"),
        (json!({"HolderEncryptionKey": off_the_curve}), "temMALFORMED"),
        (json!({"ZKProof": "00".repeat(63)}), "temMALFORMED"),
        (json!({"ZKProof": null}), "temMALFORMED"),
        (json!({"HolderEncryptionKey": null}), "temMALFORMED"),
        (json!({"HolderEncryptedAmount": point(1)}), "temBAD_CIPHERTEXT"),
        (json!({"IssuerEncryptedAmount": point(1) + &off_the_curve}), "temBAD_CIPHERTEXT"),
        (json!({"AuditorEncryptedAmount": ""}), "temBAD_CIPHERTEXT"),
        (json!({"Fee": "99"}), "telINSUF_FEE_P"),
        (json!({}), "tecOBJECT_NOT_FOUND"),
    ] {
        assert_eq!(world.convert(changes.clone()), expected, "{changes}");
    }
    world.issue(CAN_LOCK | CAN_TRANSFER | CAN_CLAWBACK | CAN_HOLD_CONFIDENTIAL_BALANCE);
    assert_eq!(world.convert(json!({})), "tecNO_PERMISSION"); // No keys yet.
    world.set_keys();
    assert_eq!(world.convert(json!({})), "tecOBJECT_NOT_FOUND"); // Holds nothing.
    world.give("4");
    assert_eq!(world.convert(json!({})), "tecINSUFFICIENT_FUNDS");
    let unneeded = json!({"AuditorEncryptedAmount": point(1) + &point(3)});
    assert_eq!(world.convert(unneeded), "tecNO_PERMISSION");
    let without_key = json!({"MPTAmount": "4", "HolderEncryptionKey": null, "ZKProof": null});
    assert_eq!(world.convert(without_key), "tecNO_PERMISSION");
    let before = world.bed.sequence(holder().account_id());
    assert_eq!(world.convert(json!({"MPTAmount": "4"})), "temDISABLED"); // Now the proof counts.
    assert_eq!(world.bed.sequence(holder().account_id()), before);
    let lock = json!({
        "TransactionType": "MPTokenIssuanceSet",
        "MPTokenIssuanceID": world.token.to_string(),
        "Flags": 1,
    });
    assert_eq!(world.send(&issuer(), lock), "tesSUCCESS");
    assert_eq!(world.convert(json!({"MPTAmount": "0"})), "tecLOCKED");
}

#[test]
fn nothing_hidden_can_be_merged_shown_sent_or_taken() {
    let mut world = World::new();
    world.issue(CAN_TRANSFER | CAN_CLAWBACK | CAN_HOLD_CONFIDENTIAL_BALANCE);
    world.set_keys();
    world.give("4");
    let id = world.token.to_string();
    let two = point(1) + &point(3);
    let merge = json!({"TransactionType": "ConfidentialMPTMergeInbox", "MPTokenIssuanceID": id});
    let back = json!({
        "TransactionType": "ConfidentialMPTConvertBack",
        "MPTokenIssuanceID": id,
        "MPTAmount": "1",
        "HolderEncryptedAmount": two,
        "IssuerEncryptedAmount": two,
        "BlindingFactor": "01".repeat(32),
        "ZKProof": "00".repeat(816),
        "BalanceCommitment": point(1),
    });
    let send = json!({
        "TransactionType": "ConfidentialMPTSend",
        "MPTokenIssuanceID": id,
        "Destination": key(2).account_id().to_string(),
        "SenderEncryptedAmount": two,
        "DestinationEncryptedAmount": two,
        "IssuerEncryptedAmount": two,
        "ZKProof": "00".repeat(946),
        "AmountCommitment": point(1),
        "BalanceCommitment": point(3),
    });
    let claw = json!({
        "TransactionType": "ConfidentialMPTClawback",
        "MPTokenIssuanceID": id,
        "Holder": holder().account_id().to_string(),
        "MPTAmount": "1",
        "ZKProof": "00".repeat(64),
    });
    let but = |tx: &Json, key: &str, value: Json| {
        let mut tx = tx.clone();
        tx[key] = value;
        tx
    };
    let person = |n| Json::from(key(n).account_id().to_string());
    for (from, tx, expected) in [
        (3, merge.clone(), "tecNO_PERMISSION"),
        (2, merge.clone(), "tecOBJECT_NOT_FOUND"),
        (1, merge, "temMALFORMED"),
        (3, back.clone(), "tecNO_PERMISSION"),
        (2, back.clone(), "tecOBJECT_NOT_FOUND"),
        (3, but(&back, "MPTAmount", "0".into()), "temBAD_AMOUNT"),
        (3, but(&back, "BalanceCommitment", "04".repeat(33).into()), "temMALFORMED"),
        (3, but(&back, "ZKProof", "00".repeat(815).into()), "temMALFORMED"),
        (3, send.clone(), "tecNO_PERMISSION"),
        (4, send.clone(), "tecOBJECT_NOT_FOUND"),
        (3, but(&send, "Destination", person(9)), "tecNO_TARGET"),
        (3, but(&send, "Destination", person(3)), "temMALFORMED"),
        (3, but(&send, "Destination", person(1)), "temMALFORMED"),
        (3, but(&send, "ZKProof", "00".into()), "temMALFORMED"),
        (3, but(&send, "SenderEncryptedAmount", "00".into()), "temBAD_CIPHERTEXT"),
        (3, but(&send, "IssuerEncryptedAmount", "00".repeat(66).into()), "temBAD_CIPHERTEXT"),
        (3, but(&send, "CredentialIDs", json!([])), "temMALFORMED"),
        (1, claw.clone(), "tecNO_PERMISSION"),
        (1, but(&claw, "Holder", person(2)), "tecOBJECT_NOT_FOUND"),
        (1, but(&claw, "Holder", person(9)), "tecNO_TARGET"),
        (1, but(&claw, "Holder", person(1)), "temMALFORMED"),
        (1, but(&claw, "MPTAmount", "0".into()), "temBAD_AMOUNT"),
        (3, claw, "temMALFORMED"),
    ] {
        assert_eq!(world.send(&key(from), tx.clone()), expected, "{tx}");
    }
    let balance = world.bed.node.current().account(holder().account_id()).unwrap();
    assert_eq!(balance.u32(fields::OWNER_COUNT), Some(1));
}
