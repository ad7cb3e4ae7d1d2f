//! Which fields transactions and the objects inside them must and may have.
//!
//! Those of transactions come from `server_definitions` (`TRANSACTION_FORMATS`), so that a node newer
//! than this program brings its own. What the objects inside may have no node tells.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::{Field, fields};

/// Whether an object must have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It may, but not with the value that stands for its absence.
    NotDefault,
}

impl Presence {
    /// As `server_definitions` has it (`optionality`); what a newer node says beside these is taken
    /// for optional.
    fn of_optionality(n: u64) -> Self {
        match n {
            0 => Self::Required,
            2 => Self::NotDefault,
            _ => Self::Optional,
        }
    }

    /// Whether the field may lack.
    #[must_use]
    pub fn may_lack(self) -> bool {
        self != Self::Required
    }
}

/// A field of a transaction type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatField {
    /// Its name.
    pub name: Box<str>,
    /// Its code; none if it is of a serialised type that this codec does not know.
    pub field: Option<Field>,
    /// Whether it must be there.
    pub presence: Presence,
}

/// Under which stands what every type has.
const COMMON: &str = "common";

/// The formats of all transaction types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Formats(BTreeMap<Box<str>, Vec<FormatField>>);

impl Formats {
    /// Of `TRANSACTION_FORMATS`; what is no format is passed over, since a node newer than this
    /// program may say more.
    pub(crate) fn read(json: &Json, field: impl Fn(&str) -> Option<Field>) -> Self {
        let one = |listed: &Json| {
            let name = listed.get("name")?.as_str()?;
            Some(FormatField {
                name: name.into(),
                field: field(name),
                presence: Presence::of_optionality(listed.get("optionality")?.as_u64()?),
            })
        };
        let format = |listed: &Json| {
            Some(listed.as_array()?.iter().filter_map(one).collect::<Vec<FormatField>>())
        };
        let members = json.as_object().into_iter().flatten();
        Self(members.filter_map(|(kind, of)| Some((kind.as_str().into(), format(of)?))).collect())
    }

    /// A type's own fields.
    pub(crate) fn of(&self, transaction_type: &str) -> Option<&[FormatField]> {
        let own = transaction_type != COMMON;
        self.0.get(transaction_type).filter(|_| own).map(Vec::as_slice)
    }

    /// The fields of every type.
    pub(crate) fn common(&self) -> &[FormatField] {
        self.0.get(COMMON).map_or(&[], Vec::as_slice)
    }
}

/// Fields of an object inside another one, in xrpld's order; none for objects that have what they
/// like.
#[must_use]
pub fn inner_format(name: Field) -> Option<&'static [(Field, Presence)]> {
    use Presence::{NotDefault, Optional, Required};
    Some(match name {
        fields::SIGNER_ENTRY => &[
            (fields::ACCOUNT, Required),
            (fields::SIGNER_WEIGHT, Required),
            (fields::WALLET_LOCATOR, Optional),
        ],
        fields::SIGNER => &[
            (fields::ACCOUNT, Required),
            (fields::SIGNING_PUB_KEY, Required),
            (fields::TXN_SIGNATURE, Required),
        ],
        fields::MAJORITY => &[(fields::AMENDMENT, Required), (fields::CLOSE_TIME, Required)],
        fields::DISABLED_VALIDATOR => {
            &[(fields::PUBLIC_KEY, Required), (fields::FIRST_LEDGER_SEQUENCE, Required)]
        }
        fields::NF_TOKEN => &[(fields::NF_TOKEN_ID, Required), (fields::URI, Optional)],
        fields::VOTE_ENTRY => &[
            (fields::ACCOUNT, Required),
            (fields::TRADING_FEE, NotDefault),
            (fields::VOTE_WEIGHT, Required),
        ],
        fields::AUCTION_SLOT => &[
            (fields::ACCOUNT, Required),
            (fields::EXPIRATION, Required),
            (fields::DISCOUNTED_FEE, NotDefault),
            (fields::PRICE, Required),
            (fields::AUTH_ACCOUNTS, Optional),
        ],
        fields::X_CHAIN_CLAIM_ATTESTATION_COLLECTION_ELEMENT => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, Required),
            (fields::PUBLIC_KEY, Required),
            (fields::SIGNATURE, Required),
            (fields::AMOUNT, Required),
            (fields::ACCOUNT, Required),
            (fields::ATTESTATION_REWARD_ACCOUNT, Required),
            (fields::WAS_LOCKING_CHAIN_SEND, Required),
            (fields::X_CHAIN_CLAIM_ID, Required),
            (fields::DESTINATION, Optional),
        ],
        fields::X_CHAIN_CREATE_ACCOUNT_ATTESTATION_COLLECTION_ELEMENT => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, Required),
            (fields::PUBLIC_KEY, Required),
            (fields::SIGNATURE, Required),
            (fields::AMOUNT, Required),
            (fields::ACCOUNT, Required),
            (fields::ATTESTATION_REWARD_ACCOUNT, Required),
            (fields::WAS_LOCKING_CHAIN_SEND, Required),
            (fields::X_CHAIN_ACCOUNT_CREATE_COUNT, Required),
            (fields::DESTINATION, Required),
            (fields::SIGNATURE_REWARD, Required),
        ],
        fields::X_CHAIN_CLAIM_PROOF_SIG => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, Required),
            (fields::PUBLIC_KEY, Required),
            (fields::AMOUNT, Required),
            (fields::ATTESTATION_REWARD_ACCOUNT, Required),
            (fields::WAS_LOCKING_CHAIN_SEND, Required),
            (fields::DESTINATION, Optional),
        ],
        fields::X_CHAIN_CREATE_ACCOUNT_PROOF_SIG => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, Required),
            (fields::PUBLIC_KEY, Required),
            (fields::AMOUNT, Required),
            (fields::SIGNATURE_REWARD, Required),
            (fields::ATTESTATION_REWARD_ACCOUNT, Required),
            (fields::WAS_LOCKING_CHAIN_SEND, Required),
            (fields::DESTINATION, Required),
        ],
        fields::AUTH_ACCOUNT => &[(fields::ACCOUNT, Required)],
        fields::PRICE_DATA => &[
            (fields::BASE_ASSET, Required),
            (fields::QUOTE_ASSET, Required),
            (fields::ASSET_PRICE, Optional),
            (fields::SCALE, NotDefault),
        ],
        fields::CREDENTIAL => &[(fields::ISSUER, Required), (fields::CREDENTIAL_TYPE, Required)],
        fields::PERMISSION => &[(fields::PERMISSION_VALUE, Required)],
        fields::BATCH_SIGNER => &[
            (fields::ACCOUNT, Required),
            (fields::SIGNING_PUB_KEY, Optional),
            (fields::TXN_SIGNATURE, Optional),
            (fields::SIGNERS, Optional),
        ],
        fields::BOOK => &[(fields::BOOK_DIRECTORY, Required), (fields::BOOK_NODE, Required)],
        fields::COUNTERPARTY_SIGNATURE => &[
            (fields::SIGNING_PUB_KEY, Optional),
            (fields::TXN_SIGNATURE, Optional),
            (fields::SIGNERS, Optional),
        ],
        _ => return None,
    })
}
