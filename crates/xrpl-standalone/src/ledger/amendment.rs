//! Amendments and the rules that follow from them (<https://xrpl.org/docs/concepts/networks-and-servers/amendments>).
//!
//! An amendment's id is the hash of its name. Whatever an amendment decides asks the view:
//! `view.rules().enabled(amendment::AMM)`. Amendments that xrpld 3.3 has retired are always on and
//! have no name here.

use std::sync::{Arc, LazyLock, OnceLock};

use xrpl_protocol::{AccountId, Hash256, hash::sha512_half, rounding::Digits};

/// An amendment that the rules of this ledger ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amendment(u8);

macro_rules! amendments {
    ($($constant:ident $name:literal $supported:literal,)*) => {
        const TABLE: &[(&str, bool)] = &[$(($name, $supported),)*];

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum At { $($constant,)* }

        $(
            #[doc = concat!("`", $name, "`.")]
            pub const $constant: Amendment = Amendment(At::$constant as u8);
        )*
    };
}

// Constant, name, whether xrpld 3.3 supports it (the others are in development and must be switched
// on by a node's configuration).
amendments! {
    AMM "AMM" true,
    AMM_CLAWBACK "AMMClawback" true,
    BATCH_V1_1 "BatchV1_1" false,
    CONFIDENTIAL_TRANSFER "ConfidentialTransfer" false,
    CREDENTIALS "Credentials" true,
    DID "DID" true,
    DEEP_FREEZE "DeepFreeze" true,
    DYNAMIC_MPT "DynamicMPT" true,
    DYNAMIC_NFT "DynamicNFT" true,
    LENDING_PROTOCOL "LendingProtocol" true,
    LENDING_PROTOCOL_V1_1 "LendingProtocolV1_1" false,
    MPTOKENS_V1 "MPTokensV1" true,
    MPTOKENS_V2 "MPTokensV2" false,
    NFTOKEN_MINT_OFFER "NFTokenMintOffer" true,
    PERMISSION_DELEGATION_V1_1 "PermissionDelegationV1_1" true,
    PERMISSIONED_DEX "PermissionedDEX" true,
    PERMISSIONED_DOMAINS "PermissionedDomains" true,
    PRICE_ORACLE "PriceOracle" true,
    SINGLE_ASSET_VAULT "SingleAssetVault" true,
    TOKEN_ESCROW "TokenEscrow" true,
    XCHAIN_BRIDGE "XChainBridge" true,
    XRP_FEES "XRPFees" true,
    FIX_AMM_CLAWBACK_ROUNDING "fixAMMClawbackRounding" true,
    FIX_AMM_OVERFLOW_OFFER "fixAMMOverflowOffer" true,
    FIX_AMM_V1_1 "fixAMMv1_1" true,
    FIX_AMM_V1_2 "fixAMMv1_2" true,
    FIX_AMM_V1_3 "fixAMMv1_3" true,
    FIX_CLEANUP_3_1_3 "fixCleanup3_1_3" true,
    FIX_CLEANUP_3_2_0 "fixCleanup3_2_0" true,
    FIX_CLEANUP_3_3_0 "fixCleanup3_3_0" true,
    FIX_DIRECTORY_LIMIT "fixDirectoryLimit" true,
    FIX_DISALLOW_INCOMING_V1 "fixDisallowIncomingV1" true,
    FIX_EMPTY_DID "fixEmptyDID" true,
    FIX_ENFORCE_NFTOKEN_TRUSTLINE "fixEnforceNFTokenTrustline" true,
    FIX_ENFORCE_NFTOKEN_TRUSTLINE_V2 "fixEnforceNFTokenTrustlineV2" true,
    FIX_FILL_OR_KILL "fixFillOrKill" true,
    FIX_FROZEN_LPTOKEN_TRANSFER "fixFrozenLPTokenTransfer" true,
    FIX_INCLUDE_KEYLET_FIELDS "fixIncludeKeyletFields" true,
    FIX_INNER_OBJ_TEMPLATE "fixInnerObjTemplate" true,
    FIX_INNER_OBJ_TEMPLATE2 "fixInnerObjTemplate2" true,
    FIX_INVALID_TX_FLAGS "fixInvalidTxFlags" true,
    FIX_MPT_DELIVERED_AMOUNT "fixMPTDeliveredAmount" true,
    FIX_NFTOKEN_PAGE_LINKS "fixNFTokenPageLinks" true,
    FIX_PAY_CHAN_CANCEL_AFTER "fixPayChanCancelAfter" true,
    FIX_PREVIOUS_TXN_ID "fixPreviousTxnID" true,
    FIX_PRICE_ORACLE_ORDER "fixPriceOracleOrder" true,
    FIX_REDUCED_OFFERS_V2 "fixReducedOffersV2" true,
    FIX_REMOVE_NFTOKEN_AUTO_TRUST_LINE "fixRemoveNFTokenAutoTrustLine" true,
    FIX_TOKEN_ESCROW_V1 "fixTokenEscrowV1" true,
    FIX_XCHAIN_REWARD_ROUNDING "fixXChainRewardRounding" true,
}

/// Amendments that xrpld 3.3 has retired, with their ids: their rules hold for ever.
pub fn retired() -> impl Iterator<Item = (Hash256, &'static str)> {
    static RETIRED: LazyLock<Vec<(Hash256, &str)>> = LazyLock::new(|| {
        let names = include_str!("../../data/obsolete_amendments.txt").lines();
        names.map(|name| (sha512_half(&[name.as_bytes()]), name)).collect()
    });
    RETIRED.iter().copied()
}

fn ids() -> &'static [Hash256] {
    static IDS: OnceLock<Vec<Hash256>> = OnceLock::new();
    IDS.get_or_init(|| TABLE.iter().map(|(name, _)| sha512_half(&[name.as_bytes()])).collect())
}

impl Amendment {
    /// Every amendment that rules here ask for.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).zip(TABLE).map(|(at, _)| Self(at))
    }

    /// The amendments that xrpld 3.3 supports.
    pub fn supported() -> impl Iterator<Item = Self> {
        Self::all().filter(|amendment| amendment.is_supported())
    }

    /// The amendment of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|amendment| amendment.name() == name)
    }

    /// Its name, as in `feature`.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// Its id.
    #[must_use]
    pub fn id(self) -> Hash256 {
        ids()[usize::from(self.0)]
    }

    /// Whether a server votes for it unless told otherwise: xrpld's default votes.
    #[must_use]
    pub fn votes_yes(self) -> bool {
        [FIX_CLEANUP_3_1_3, FIX_AMM_OVERFLOW_OFFER, FIX_REMOVE_NFTOKEN_AUTO_TRUST_LINE]
            .contains(&self)
    }

    /// The amendments that a text names, sorted by id: `all` that xrpld 3.3 supports, those on
    /// `mainnet`, `none`, and changes to that, such as `mainnet,+LendingProtocol,-AMM`. Changes alone are
    /// made to `all`.
    ///
    /// # Errors
    /// What of the text is none of these, and what would be.
    pub fn selection<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, String> {
        let mut on: Vec<Self> = Self::supported().collect();
        for (at, part) in parts.into_iter().enumerate() {
            let (add, name) = match (part.strip_prefix('+'), part.strip_prefix('-')) {
                (Some(name), _) => (true, name),
                (_, Some(name)) => (false, name),
                (None, None) if at > 0 => {
                    return Err(format!("{part:?} must begin with + or - after the first"));
                }
                (None, None) => {
                    on = match part {
                        "all" => Self::supported().collect(),
                        "mainnet" => Self::supported().filter(|a| a.is_on_mainnet()).collect(),
                        "none" => Vec::new(),
                        _ => {
                            return Err(format!(
                                "{part:?}: expected all, mainnet, none, +Name or -Name"
                            ));
                        }
                    };
                    continue;
                }
            };
            let amendment = Self::named(name).ok_or_else(|| {
                let near = Self::all().find(|a| a.name().eq_ignore_ascii_case(name));
                match near {
                    Some(near) => format!("no amendment is named {name:?}: write {}", near.name()),
                    None => format!(
                        "no amendment that this ledger knows is named {name:?}; those that xrpld \
                         3.3 has retired are always on. `feature` lists all"
                    ),
                }
            })?;
            on.retain(|other| *other != amendment);
            if add {
                on.push(amendment);
            }
        }
        on.sort_unstable_by_key(|amendment| amendment.id());
        Ok(on)
    }

    /// Whether it was enabled on the main network on 18 August 2026. So says the list of votes and
    /// enabled amendments, each with its ledger, that <https://xrpl.org/resources/known-amendments>
    /// is made from, as of that day.
    #[must_use]
    pub fn is_on_mainnet(self) -> bool {
        const NOT: &[Amendment] = &[
            DYNAMIC_MPT,
            LENDING_PROTOCOL,
            PERMISSION_DELEGATION_V1_1,
            SINGLE_ASSET_VAULT,
            XCHAIN_BRIDGE,
            FIX_CLEANUP_3_3_0,
            FIX_XCHAIN_REWARD_ROUNDING,
        ];
        self.is_supported() && !NOT.contains(&self)
    }

    /// Whether xrpld 3.3 supports it; others are in development.
    #[must_use]
    pub fn is_supported(self) -> bool {
        TABLE[usize::from(self.0)].1
    }
}

/// Which amendments are on in a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// One bit an amendment of the table.
    known: u128,
    /// Those of them that hold whatever the ledger says.
    features: u128,
    /// Every enabled id, those that nothing here asks for too.
    all: Arc<[Hash256]>,
    impersonated: Impersonated,
}

/// Accounts for which any key may sign: for trying what others would do, on a fork of their network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Impersonated {
    /// None, as on every true ledger.
    #[default]
    Nobody,
    /// These.
    These(Arc<[AccountId]>),
    /// All.
    Everybody,
}

// `known` has a bit for each.
const _: () = assert!(TABLE.len() <= 128);

impl Rules {
    /// The rules that an Amendments entry lists.
    #[must_use]
    pub fn of(amendments: &[Hash256]) -> Self {
        let on = |amendment: &Amendment| amendments.contains(&amendment.id());
        let known = Amendment::all().filter(on).fold(0, |bits, amendment| bits | 1 << amendment.0);
        Self { known, features: 0, all: amendments.into(), impersonated: Impersonated::Nobody }
    }

    /// These rules, and amendments that are on whatever the ledger says: see
    /// [`crate::node::NodeConfig::features`].
    #[must_use]
    pub fn with_features(&self, features: &[Hash256]) -> Self {
        let features = self.features | Self::of(features).known;
        Self { known: self.known | features, features, ..self.clone() }
    }

    /// The rules of a ledger that lists these amendments and comes after one with the present rules.
    #[must_use]
    pub(crate) fn followed_by(&self, amendments: &[Hash256]) -> Self {
        let rules = Self::of(amendments);
        Self {
            known: rules.known | self.features,
            features: self.features,
            impersonated: self.impersonated.clone(),
            ..rules
        }
    }

    /// These rules, and accounts for which any key may sign.
    #[must_use]
    pub fn with_impersonated(&self, impersonated: Impersonated) -> Self {
        Self { impersonated, ..self.clone() }
    }

    /// Accounts for which any key may sign.
    #[must_use]
    pub fn impersonated(&self) -> &Impersonated {
        &self.impersonated
    }

    /// Whether any key may sign for an account.
    #[must_use]
    pub fn impersonates(&self, account: AccountId) -> bool {
        match &self.impersonated {
            Impersonated::Nobody => false,
            Impersonated::These(accounts) => accounts.contains(&account),
            Impersonated::Everybody => true,
        }
    }

    /// Whether an amendment is on.
    #[must_use]
    pub fn enabled(&self, amendment: Amendment) -> bool {
        self.known >> amendment.0 & 1 == 1
    }

    /// How many digits decimal arithmetic has under these rules.
    #[must_use]
    pub fn digits(&self) -> Digits {
        if !self.enabled(SINGLE_ASSET_VAULT) && !self.enabled(LENDING_PROTOCOL) {
            Digits::Sixteen
        } else if self.enabled(FIX_CLEANUP_3_2_0) {
            Digits::Nineteen
        } else {
            Digits::NineteenLegacy
        }
    }

    /// Enabled amendments that neither are here nor were retired: what they change is not done.
    #[must_use]
    pub fn unknown(&self) -> Vec<Hash256> {
        let known = |id: &Hash256| ids().contains(id) || retired().any(|(other, _)| other == *id);
        self.all.iter().filter(|id| !known(id)).copied().collect()
    }

    /// Ids of all enabled amendments, in the ledger's order.
    #[must_use]
    pub fn ids(&self) -> &[Hash256] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hashes_of_names() {
        assert_eq!(
            FIX_CLEANUP_3_3_0.id().to_string(),
            "3298D47E1F3A8A24FECAA30F699B8FE1DD234E072834BA099AD8180FFCE0FEC4"
        );
        assert_eq!(Amendment::named("AMM"), Some(AMM));
        assert_eq!(AMM.name(), "AMM");
    }

    #[test]
    fn rules_know_what_is_on() {
        let unknown = Hash256([7; 32]);
        let rules = Rules::of(&[AMM.id(), unknown, XRP_FEES.id()]);
        assert!(rules.enabled(AMM) && rules.enabled(XRP_FEES));
        assert!(!rules.enabled(BATCH_V1_1) && !rules.enabled(DID));
        assert_eq!(rules.ids(), [AMM.id(), unknown, XRP_FEES.id()]);
        assert_eq!(rules.unknown(), [unknown]);
        let retired = retired().find(|(_, name)| *name == "Checks").unwrap().0;
        assert_eq!(Rules::of(&[retired]).unknown(), []);
        assert!(!Rules::default().enabled(AMM));
        let configured = rules.with_features(&[BATCH_V1_1.id()]);
        assert!(configured.enabled(BATCH_V1_1) && configured.enabled(AMM));
        assert_eq!(configured.ids(), rules.ids());
        assert_eq!(rules.digits(), Digits::Sixteen);
        assert_eq!(Rules::of(&[LENDING_PROTOCOL.id()]).digits(), Digits::NineteenLegacy);
        let mended = Rules::of(&[FIX_CLEANUP_3_2_0.id(), LENDING_PROTOCOL.id()]);
        assert_eq!(mended.digits(), Digits::Nineteen);
    }

    #[test]
    fn a_selection_says_what_is_on() {
        let on = |text: &str| Amendment::selection(text.split(','));
        assert_eq!(on("all").unwrap().len(), Amendment::supported().count());
        assert_eq!(on("none").unwrap(), []);
        assert_eq!(on("none,+AMM").unwrap(), [AMM]);
        let mainnet = on("mainnet").unwrap();
        assert!(mainnet.contains(&AMM) && !mainnet.contains(&XCHAIN_BRIDGE));
        assert_eq!(mainnet.len(), 39);
        assert!(mainnet.contains(&FIX_CLEANUP_3_2_0) && !mainnet.contains(&FIX_CLEANUP_3_3_0));
        let changed = on("-AMM,+BatchV1_1").unwrap();
        assert!(!changed.contains(&AMM) && changed.contains(&BATCH_V1_1));
        assert_eq!(changed.len(), Amendment::supported().count());
        assert!(changed.is_sorted_by_key(|amendment| amendment.id()));
        for (text, word) in
            [("some", "mainnet"), ("+amm", "write AMM"), ("+Checks", "retired"), ("all,none", "+")]
        {
            assert!(on(text).unwrap_err().contains(word), "{text}");
        }
    }

    #[test]
    fn development_amendments_are_off_by_default() {
        assert_eq!(Amendment::supported().count(), 46);
        assert!(!BATCH_V1_1.is_supported() && !MPTOKENS_V2.is_supported());
    }
}
