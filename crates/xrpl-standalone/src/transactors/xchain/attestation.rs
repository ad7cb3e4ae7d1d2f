//! What witnesses attest: that something was committed on the other chain.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Object, Value, fields, keys::PublicKey,
    object::XChainBridge,
};

use super::{Chain, Witnesses, commit::is_legal};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter,
        helpers::account_root::{flag, flags_of},
    },
    transactors::ensure,
};

/// An attestation as a transaction brings it.
#[derive(Clone, Debug)]
pub(super) struct Attestation {
    pub(super) signer: AccountId,
    key: Vec<u8>,
    signature: Vec<u8>,
    /// Who committed it on the other chain.
    pub(super) sender: AccountId,
    pub(super) amount: Amount,
    pub(super) rewarded: AccountId,
    pub(super) was_locking_chain_send: bool,
    pub(super) destination: Option<AccountId>,
    /// The claim's number, or the new account's in its order.
    pub(super) number: u64,
    /// What the witnesses get; only for new accounts.
    pub(super) reward: Option<Amount>,
}

/// What of an attestation must be the same for several to count together.
pub(super) struct Matching {
    pub(super) amount: Amount,
    pub(super) reward: Option<Amount>,
    pub(super) was_locking_chain_send: bool,
    /// None if the destination does not matter.
    pub(super) destination: Option<Option<AccountId>>,
}

impl Attestation {
    /// What a transaction attests; `numbered` is the field of its number.
    pub(super) fn of(tx: &PreparedTx, numbered: Field) -> Option<Self> {
        let tx = &tx.object;
        let number = tx.u64(numbered)?;
        let creates = numbered == fields::X_CHAIN_ACCOUNT_CREATE_COUNT;
        Some(Self {
            signer: tx.account(fields::ATTESTATION_SIGNER_ACCOUNT)?,
            key: tx.blob(fields::PUBLIC_KEY)?.to_vec(),
            signature: tx.blob(fields::SIGNATURE)?.to_vec(),
            sender: tx.account(fields::OTHER_CHAIN_SOURCE)?,
            amount: tx.amount(fields::AMOUNT)?,
            rewarded: tx.account(fields::ATTESTATION_REWARD_ACCOUNT)?,
            was_locking_chain_send: tx.u8(fields::WAS_LOCKING_CHAIN_SEND)? != 0,
            destination: tx.account(fields::DESTINATION),
            number,
            reward: tx.amount(fields::SIGNATURE_REWARD).filter(|_| creates),
        })
    }

    /// What was signed.
    fn message(&self, bridge: &XChainBridge) -> Vec<u8> {
        let number = match self.reward {
            Some(_) => fields::X_CHAIN_ACCOUNT_CREATE_COUNT,
            None => fields::X_CHAIN_CLAIM_ID,
        };
        let mut signed = Object::new()
            .with(number, self.number)
            .with(fields::AMOUNT, self.amount)
            .with(fields::OTHER_CHAIN_SOURCE, self.sender)
            .with(fields::ATTESTATION_REWARD_ACCOUNT, self.rewarded)
            .with(fields::WAS_LOCKING_CHAIN_SEND, Value::UInt8(self.was_locking_chain_send.into()));
        if let Some(reward) = self.reward {
            signed.set(fields::SIGNATURE_REWARD, reward.into());
        }
        if let Some(destination) = self.destination {
            signed.set(fields::DESTINATION, destination.into());
        }
        signed.set(fields::X_CHAIN_BRIDGE, Value::XChainBridge(Box::new(*bridge)));
        signed.encode()
    }

    /// Whether its form and its signature hold.
    pub(super) fn check(&self, bridge: &XChainBridge) -> Ter {
        let bad = EngineResult::TEM_XCHAIN_BAD_PROOF;
        let key = PublicKey::from_slice(&self.key).map_err(|_| EngineResult::TEM_MALFORMED)?;
        ensure(key.verify(&self.message(bridge), &self.signature), bad)?;
        ensure(self.reward.iter().all(is_legal) && is_legal(&self.amount), bad)?;
        let issue = Chain::source(self.was_locking_chain_send).issue(bridge);
        ensure(self.amount.signum() > 0 && self.amount.issue() == issue, bad)
    }

    pub(super) fn check_key(&self, view: &dyn ReadView, witnesses: &Witnesses) -> Ter {
        check_key(view, witnesses, self.signer, &self.key)
    }

    /// As the claim's entry keeps it.
    fn kept(&self) -> (Field, Object) {
        let mut kept = Object::new()
            .with(fields::ATTESTATION_SIGNER_ACCOUNT, self.signer)
            .with(fields::PUBLIC_KEY, self.key.clone())
            .with(fields::AMOUNT, self.amount)
            .with(fields::ATTESTATION_REWARD_ACCOUNT, self.rewarded)
            .with(fields::WAS_LOCKING_CHAIN_SEND, Value::UInt8(self.was_locking_chain_send.into()));
        if let Some(destination) = self.destination {
            kept.set(fields::DESTINATION, destination.into());
        }
        match self.reward {
            Some(reward) => {
                kept.set(fields::SIGNATURE_REWARD, reward.into());
                (fields::X_CHAIN_CREATE_ACCOUNT_PROOF_SIG, kept)
            }
            None => (fields::X_CHAIN_CLAIM_PROOF_SIG, kept),
        }
    }

    /// Puts it among the others, in the place of an earlier one of the same witness. Returns who is to
    /// be rewarded if enough agree with it now.
    pub(super) fn add(
        &self,
        view: &dyn ReadView,
        all: &mut Vec<(Field, Object)>,
        witnesses: &Witnesses,
    ) -> Option<Vec<AccountId>> {
        let signer = |kept: &Object| kept.account(fields::ATTESTATION_SIGNER_ACCOUNT);
        match all.iter_mut().find(|(_, kept)| signer(kept) == Some(self.signer)) {
            Some(earlier) => *earlier = self.kept(),
            None => all.push(self.kept()),
        }
        let matching = Matching {
            amount: self.amount,
            reward: self.reward,
            was_locking_chain_send: self.was_locking_chain_send,
            destination: Some(self.destination),
        };
        agreed(view, all, &matching, witnesses).ok()
    }
}

/// The attestations that an entry keeps.
pub(super) fn attestations_of(claim: &Object, field: Field) -> Vec<(Field, Object)> {
    claim.array(field).unwrap_or_default().to_vec()
}

/// Whether a key may sign for a witness.
fn check_key(view: &dyn ReadView, witnesses: &Witnesses, signer: AccountId, key: &[u8]) -> Ter {
    ensure(witnesses.weights.contains_key(&signer), EngineResult::TEC_NO_PERMISSION)?;
    let of_key = AccountId::of_bytes(key);
    let good = match view.account(signer) {
        Some(root) if of_key == signer => flags_of(&root) & flag::DISABLE_MASTER == 0,
        Some(root) => root.account(fields::REGULAR_KEY) == Some(of_key),
        None => of_key == signer,
    };
    ensure(good, EngineResult::TEC_XCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR)
}

/// Who is to be rewarded if enough witnesses attest the same. Those that are witnesses no more are
/// taken out. (xrpld's `claimHelper`.)
///
/// # Errors
/// `tecXCHAIN_CLAIM_NO_QUORUM`.
pub(super) fn agreed(
    view: &dyn ReadView,
    all: &mut Vec<(Field, Object)>,
    wanted: &Matching,
    witnesses: &Witnesses,
) -> Result<Vec<AccountId>, EngineResult> {
    let signer = |kept: &Object| kept.account(fields::ATTESTATION_SIGNER_ACCOUNT);
    all.retain(|(_, kept)| {
        let key = kept.blob(fields::PUBLIC_KEY).unwrap_or_default();
        check_key(view, witnesses, signer(kept).unwrap_or_default(), key).is_ok()
    });
    let (mut weight, mut rewarded) = (0u32, Vec::new());
    for (_, kept) in &*all {
        let same = kept.amount(fields::AMOUNT) == Some(wanted.amount)
            && (wanted.reward.is_none() || kept.amount(fields::SIGNATURE_REWARD) == wanted.reward)
            && kept.u8(fields::WAS_LOCKING_CHAIN_SEND)
                == Some(wanted.was_locking_chain_send.into())
            && wanted.destination.is_none_or(|to| kept.account(fields::DESTINATION) == to);
        let of = signer(kept).and_then(|signer| witnesses.weights.get(&signer));
        if let (true, Some(of)) = (same, of) {
            weight = weight.saturating_add(*of);
            rewarded.extend(kept.account(fields::ATTESTATION_REWARD_ACCOUNT));
        }
    }
    match weight >= witnesses.quorum {
        true => Ok(rewarded),
        false => Err(EngineResult::TEC_XCHAIN_CLAIM_NO_QUORUM),
    }
}
