//! The catalogue: what the generator can send.
//!
//! A type is one file in `catalogue/`, named after its TransactionType: a struct that implements
//! [`TransactionType`]. Its line in the list below puts it in. Nothing else in the workspace names a
//! type: settings, API, metrics and documentation enumerate the catalogue.

use std::collections::BTreeMap;

use rand::Rng;

use crate::{
    accounts::Role,
    error::GeneratorError,
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::{Planner, below},
};

/// What is fixed of a type.
#[derive(Debug)]
pub struct About {
    /// Its name on the ledger, in the configuration and in the API.
    pub name: &'static str,
    /// What it belongs to: types that work on the same things.
    pub family: &'static str,
    /// Its share among all weights where nothing else is said.
    pub weight: u32,
    /// Who sends it.
    pub roles: &'static [Role],
    /// The amendment that it needs, if any.
    pub amendment: Option<&'static str>,
    /// Amendments that it needs beside its own.
    pub needs: &'static [&'static str],
    /// The forms in which it is planned, as the coverage names them; none if there is one only.
    pub variants: &'static [&'static str],
    /// The ways in which it can be sent.
    pub modifiers: &'static [Modifier],
    /// The ways in which it can be wrong, beside those that all have.
    pub mutations: &'static [Mutation],
}

impl About {
    /// What users send, seldom. Name, modifiers and mutations are each type's own.
    pub const TYPE: Self = Self {
        name: "",
        family: "",
        weight: 4,
        roles: &[Role::User],
        amendment: None,
        needs: &[],
        variants: &[],
        modifiers: &[],
        mutations: &[],
    };

    /// All amendments that it needs.
    pub fn amendments(&self) -> impl Iterator<Item = &'static str> {
        self.amendment.into_iter().chain(self.needs.iter().copied())
    }
}

/// A type of transaction: how one that must succeed is planned, in which ways it can be sent, and in
/// which ways it can be wrong.
pub trait TransactionType: std::fmt::Debug + Send + Sync {
    /// What is fixed of it.
    fn about(&self) -> &'static About;

    /// One that will succeed, whatever becomes of everything else in flight.
    ///
    /// # Errors
    /// Why there is none now, and what would allow it.
    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait>;
}

mod bridges;
pub(crate) mod lending;
mod pools;
pub(crate) mod secrets;
mod vaults;

macro_rules! types {
    ($($file:ident::$name:ident,)*) => {
        $(pub(crate) mod $file;)*
        static TYPES: &[&dyn TransactionType] = &[$(&$file::$name),*];
    };
}

types! {
    payment::Payment,
    trust_set::TrustSet,
    account_set::AccountSet,
    ticket_create::TicketCreate,
    set_regular_key::SetRegularKey,
    signer_list_set::SignerListSet,
    deposit_preauth::DepositPreauth,
    delegate_set::DelegateSet,
    did_set::DIDSet,
    did_delete::DIDDelete,
    clawback::Clawback,
    escrow_create::EscrowCreate,
    escrow_finish::EscrowFinish,
    escrow_cancel::EscrowCancel,
    payment_channel_create::PaymentChannelCreate,
    payment_channel_fund::PaymentChannelFund,
    payment_channel_claim::PaymentChannelClaim,
    check_create::CheckCreate,
    check_cancel::CheckCancel,
    nftoken_mint::NFTokenMint,
    nftoken_burn::NFTokenBurn,
    nftoken_create_offer::NFTokenCreateOffer,
    nftoken_accept_offer::NFTokenAcceptOffer,
    nftoken_cancel_offer::NFTokenCancelOffer,
    nftoken_modify::NFTokenModify,
    mptoken_issuance_create::MPTokenIssuanceCreate,
    mptoken_issuance_set::MPTokenIssuanceSet,
    mptoken_issuance_destroy::MPTokenIssuanceDestroy,
    mptoken_authorize::MPTokenAuthorize,
    credential_create::CredentialCreate,
    credential_accept::CredentialAccept,
    credential_delete::CredentialDelete,
    permissioned_domain_set::PermissionedDomainSet,
    permissioned_domain_delete::PermissionedDomainDelete,
    oracle_set::OracleSet,
    oracle_delete::OracleDelete,
    check_cash::CheckCash,
    offer_create::OfferCreate,
    offer_cancel::OfferCancel,
    amm_create::AMMCreate,
    amm_deposit::AMMDeposit,
    amm_withdraw::AMMWithdraw,
    amm_vote::AMMVote,
    amm_bid::AMMBid,
    amm_clawback::AMMClawback,
    batch::Batch,
    vault_create::VaultCreate,
    vault_set::VaultSet,
    vault_delete::VaultDelete,
    vault_deposit::VaultDeposit,
    vault_withdraw::VaultWithdraw,
    vault_clawback::VaultClawback,
    loan_broker_set::LoanBrokerSet,
    loan_broker_delete::LoanBrokerDelete,
    loan_broker_cover_deposit::LoanBrokerCoverDeposit,
    loan_broker_cover_withdraw::LoanBrokerCoverWithdraw,
    loan_broker_cover_clawback::LoanBrokerCoverClawback,
    loan_set::LoanSet,
    loan_pay::LoanPay,
    loan_manage::LoanManage,
    loan_delete::LoanDelete,
    xchain_create_bridge::XChainCreateBridge,
    xchain_modify_bridge::XChainModifyBridge,
    xchain_create_claim_id::XChainCreateClaimID,
    xchain_commit::XChainCommit,
    xchain_claim::XChainClaim,
    xchain_account_create_commit::XChainAccountCreateCommit,
    xchain_add_claim_attestation::XChainAddClaimAttestation,
    xchain_add_account_create_attestation::XChainAddAccountCreateAttestation,
    account_delete::AccountDelete,
}

/// A type that no run sends.
#[derive(Clone, Copy, Debug)]
pub struct Unsent {
    /// Its name.
    pub name: &'static str,
    /// What it belongs to.
    pub family: &'static str,
    /// The amendment that it needs, if any.
    pub amendment: Option<&'static str>,
    /// Why it is not sent.
    pub why: &'static str,
}

/// Types that accounts can send under xrpld 3.3 and that are not in the catalogue, and why.
pub static UNSENT: &[Unsent] = &[
    Unsent {
        name: "AMMDelete",
        family: "AMM",
        amendment: Some("AMM"),
        why: "a pool outlives the last withdrawal only where more than 512 accounts keep trust lines for its \
              tokens without having any; what is smaller, AMMWithdraw has deleted",
    },
    Unsent {
        name: "LedgerStateFix",
        family: "Repairs",
        amendment: Some("fixNFTokenPageLinks"),
        why: "it repairs links between NFT pages and rates of books that older rules could leave wrong; \
              present ones leave nothing to be repaired, so that it cannot succeed",
    },
    confidential("ConfidentialMPTClawback"),
    confidential("ConfidentialMPTConvert"),
    confidential("ConfidentialMPTConvertBack"),
    confidential("ConfidentialMPTMergeInbox"),
    confidential("ConfidentialMPTSend"),
];

const fn confidential(name: &'static str) -> Unsent {
    Unsent {
        name,
        family: "MPTs",
        amendment: Some("ConfidentialTransfer"),
        why: "its amendment is in development: no network has it, and its zero-knowledge proofs are not \
              made here",
    }
}

/// Position of a type in the catalogue.
pub type TypeId = usize;

/// Why a type is not drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Off {
    /// By hand.
    Switched,
    /// The network refused it with this.
    Refused(&'static str),
    /// The network does not have this amendment.
    Amendment(&'static str),
    /// What of the node's definitions cannot be met.
    Unfit(String),
}

#[derive(Clone, Debug)]
struct Row {
    of: &'static dyn TransactionType,
    weight: u32,
    off: Option<Off>,
}

/// The catalogue with this run's weights and switches.
#[derive(Clone, Debug)]
pub struct Catalogue {
    rows: Vec<Row>,
    /// For each role, the types it may send now and the sums of their weights.
    tables: [Vec<(u64, TypeId)>; Role::SENDERS.len()],
}

impl Catalogue {
    /// All types; weights by name replace their own.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`].
    pub fn new(weights: &BTreeMap<String, u32>) -> Result<Self, GeneratorError> {
        let row = |of: &&'static dyn TransactionType| Row {
            of: *of,
            weight: of.about().weight,
            off: None,
        };
        let mut catalogue =
            Self { rows: TYPES.iter().map(row).collect(), tables: Default::default() };
        catalogue.set_mix(weights, None)?;
        Ok(catalogue)
    }

    fn tabulate(&mut self) {
        for (table, role) in self.tables.iter_mut().zip(Role::SENDERS) {
            let mut sum = 0;
            table.clear();
            for (id, row) in self.rows.iter().enumerate() {
                if row.off.is_none() && row.weight > 0 && row.of.about().roles.contains(&role) {
                    sum += u64::from(row.weight);
                    table.push((sum, id));
                }
            }
        }
    }

    /// The type of a name.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`], with the nearest one; [`GeneratorError::Unsent`].
    pub fn find(&self, name: &str) -> Result<TypeId, GeneratorError> {
        let named = |row: &Row| row.of.about().name.eq_ignore_ascii_case(name);
        let unsent = UNSENT.iter().find(|unsent| unsent.name.eq_ignore_ascii_case(name));
        self.rows.iter().position(named).ok_or_else(|| match unsent {
            Some(Unsent { name, why, .. }) => GeneratorError::Unsent { name, why },
            None => GeneratorError::UnknownType {
                name: name.chars().take(60).collect(),
                nearest: nearest(name, self.names()),
                known: self.names().collect(),
            },
        })
    }

    /// The type at a position that [`Catalogue::find`] gave.
    #[must_use]
    pub fn get(&self, id: TypeId) -> &'static dyn TransactionType {
        self.rows[id].of
    }

    /// All types, in their order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = &'static dyn TransactionType> {
        self.rows.iter().map(|row| row.of)
    }

    /// Names of all types.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.types().map(|of| of.about().name)
    }

    /// How often each type is drawn, relative to the others.
    pub fn weights(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.rows.iter().map(|row| (row.of.about().name, row.weight))
    }

    /// Changes a type's weight; returns what it was.
    pub fn set_weight(&mut self, id: TypeId, weight: u32) -> u32 {
        let old = std::mem::replace(&mut self.rows[id].weight, weight);
        self.tabulate();
        old
    }

    /// Gives all types the weights of a mix: those not in it get `others`, or their own without.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`].
    pub fn set_mix(
        &mut self,
        mix: &BTreeMap<String, u32>,
        others: Option<u32>,
    ) -> Result<(), GeneratorError> {
        for row in &mut self.rows {
            row.weight = others.unwrap_or_else(|| row.of.about().weight);
        }
        for (name, weight) in mix {
            let id = self.find(name)?;
            self.rows[id].weight = *weight;
        }
        self.tabulate();
        Ok(())
    }

    /// Whether a type is drawn.
    #[must_use]
    pub fn is_enabled(&self, id: TypeId) -> bool {
        self.rows[id].off.is_none()
    }

    /// Switches a type on or off; returns what it was.
    pub fn set_enabled(&mut self, id: TypeId, enabled: bool) -> bool {
        let off = (!enabled).then_some(Off::Switched);
        let old = std::mem::replace(&mut self.rows[id].off, off);
        self.tabulate();
        old.is_none()
    }

    /// The network does not have this type: switches it off.
    pub(crate) fn refused(&mut self, id: TypeId, result: &'static str) {
        self.rows[id].off = Some(Off::Refused(result));
        self.tabulate();
    }

    /// What the network has: types that need an amendment that is not among these are switched off.
    pub fn set_amendments(&mut self, has: impl Fn(&str) -> bool) {
        for row in &mut self.rows {
            let unfit = matches!(row.off, Some(Off::Unfit(_)));
            let lacks = row.of.about().amendments().find(|amendment| !has(amendment));
            if let Some(amendment) = lacks.filter(|_| !unfit) {
                row.off = Some(Off::Amendment(amendment));
            }
        }
        self.tabulate();
    }

    /// The node's definitions ask for what cannot be met: switches the type off, if there is one of
    /// that name.
    pub fn unfit(&mut self, name: &str, why: &str) {
        for row in self.rows.iter_mut().filter(|row| row.of.about().name == name) {
            row.off = Some(Off::Unfit(why.to_owned()));
        }
        self.tabulate();
    }

    /// Types that are off: by hand, or with what the network answered or lacks.
    pub fn disabled(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        self.rows.iter().filter_map(|row| {
            let why = match row.off.as_ref()? {
                Off::Switched => None,
                Off::Refused(result) => Some((*result).to_owned()),
                Off::Amendment(amendment) => Some((*amendment).to_owned()),
                Off::Unfit(why) => Some(why.clone()),
            };
            Some((row.of.about().name, why))
        })
    }

    /// Whether an account of a role may be asked to send a type.
    #[must_use]
    pub fn may_send(&self, role: Role, id: TypeId) -> bool {
        self.rows[id].of.about().roles.contains(&role)
    }

    /// What a role may send now, with the sums of the weights.
    fn table(&self, role: Role) -> &[(u64, TypeId)] {
        let of = self.tables.iter().zip(Role::SENDERS).find(|(_, sender)| *sender == role);
        of.map_or(&[], |(table, _)| table)
    }

    /// The types that are on and that the role may send.
    pub fn open(&self, role: Role) -> impl Iterator<Item = TypeId> {
        self.table(role).iter().map(|(_, id)| *id)
    }

    /// Draws a type by weight among those that are on and that the role may send.
    pub fn draw(&self, rng: &mut impl Rng, role: Role) -> Option<TypeId> {
        let table = self.table(role);
        let at = below(rng, table.last()?.0);
        let found = table.partition_point(|(sum, _)| *sum <= at);
        table.get(found).map(|(_, id)| *id)
    }
}

/// The name that was probably meant: a slip or two away, not another word. A third of its letters
/// may differ, so that `OfferCreate` is not taken for `TicketCreate`.
fn nearest(given: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let given = given.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &given);
    names
        .map(|name| (distance(name), name))
        .min()
        .filter(|(distance, name)| distance * 3 <= name.len())
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
