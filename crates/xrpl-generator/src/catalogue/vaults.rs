//! What a vault's entry and the holdings of its shares say.

use xrpl_protocol::{Decimal, Hash256, Issue, MptId, fields};

use crate::{
    objects::{Entry, Kind},
    world::World,
};

/// What is in it.
pub(super) fn asset(vault: &Entry) -> Option<Issue> {
    // Metadata of a new one leave out what has its default value: XRP.
    Some(vault.fields.issue(fields::ASSET).unwrap_or(Issue::Xrp))
}

/// Whether anybody may deposit: what the load makes is so, what is drawn at random need not be.
pub(super) fn is_public(vault: &Entry) -> bool {
    const LSF_VAULT_PRIVATE: u32 = 0x0001_0000;
    vault.flags() & LSF_VAULT_PRIVATE == 0
}

/// Whether nothing is in it, and nobody has a share of it.
pub(super) fn is_empty(vault: &Entry) -> bool {
    [fields::ASSETS_TOTAL, fields::ASSETS_AVAILABLE].into_iter().all(|n| vault.decimal(n).is_zero())
}

/// How many shares can be had for what of it is not lent, with room for what a share has gained.
pub(super) fn available(vault: &Entry) -> u64 {
    /// Shares of a unit of an issued currency have six digits more, where nothing else was asked for.
    const SCALE: i64 = 1_000_000;
    let shares = match asset(vault) {
        Some(Issue::Issued { .. }) => Decimal::from(SCALE),
        _ => Decimal::from(1),
    };
    let available = vault.decimal(fields::ASSETS_AVAILABLE) * shares / Decimal::from(2);
    available.truncated().to_i64().ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// What an account has of a vault.
pub(super) struct Shares<'a> {
    pub(super) vault: &'a Entry,
    /// The token that stands for a share.
    pub(super) share: MptId,
    /// The holding of these tokens.
    pub(super) token: Hash256,
    /// How many, above zero.
    pub(super) held: u64,
}

impl<'a> Shares<'a> {
    /// Those that a holding of tokens is, if its tokens are shares and there are any.
    pub(super) fn of(world: &'a World, token: &Entry) -> Option<Self> {
        let vault = world.objects.parts(Kind::Vault, token.part_of?).next()?;
        let held = token.number(fields::MPT_AMOUNT).filter(|held| *held > 0)?;
        Some(Self { vault, share: token.mpt()?, token: token.id, held })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xrpl_protocol::{
        LedgerIndex,
        keys::{KeyPair, KeyType, Seed},
    };

    use super::*;
    use crate::{
        accounts::{Account, Accounts, Role},
        metadata::Moment,
        objects::Objects,
    };

    #[test]
    fn a_private_vault_takes_nothing_from_strangers() {
        let mut accounts = Accounts::default();
        let owner = KeyPair::from_seed(&Seed::from_entropy([1; 16], KeyType::Ed25519));
        accounts.add(Account::new(owner.clone(), Role::User, 5));
        for (flags, public) in [(0, true), (0x0001_0000, false)] {
            let fields = json!({"Owner": owner.account_id().to_string(), "Flags": flags});
            let (mut objects, id) = (Objects::default(), Hash256([7; 32]));
            let as_of = Moment::end_of(LedgerIndex(7));
            objects.put(Kind::Vault, id, fields.as_object().unwrap(), as_of, &accounts);
            assert_eq!(is_public(objects.get(id).unwrap()), public);
        }
    }
}
