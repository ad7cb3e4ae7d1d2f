//! The table of types: what every type is and which file does it.
//!
//! A type is built by putting its transactor in the place of its row's `None`.

use super::{
    Transactor, account_delete, account_set, amm, batch, check, clawback, credential, delegate,
    deposit_preauth, did, escrow, ledger_state_fix, lending, mpt, nft, offer, oracle, payment,
    payment_channel, permissioned_domain, regular_key, signer_list, ticket, trust_set, vault,
    xchain,
};
use crate::ledger::{Amendment, amendment};

/// What only some types may do; invariants hold all others to that.
#[allow(missing_docs)]
pub mod privilege {
    pub const CREATE_ACCT: u16 = 0x0001;
    pub const CREATE_PSEUDO_ACCT: u16 = 0x0002;
    pub const MUST_DELETE_ACCT: u16 = 0x0004;
    pub const MAY_DELETE_ACCT: u16 = 0x0008;
    pub const OVERRIDE_FREEZE: u16 = 0x0010;
    pub const CHANGE_NFT_COUNTS: u16 = 0x0020;
    pub const CREATE_MPT_ISSUANCE: u16 = 0x0040;
    pub const DESTROY_MPT_ISSUANCE: u16 = 0x0080;
    pub const MUST_AUTHORIZE_MPT: u16 = 0x0100;
    pub const MAY_AUTHORIZE_MPT: u16 = 0x0200;
    pub const MAY_DELETE_MPT: u16 = 0x0400;
    pub const MUST_MODIFY_VAULT: u16 = 0x0800;
    pub const MAY_MODIFY_VAULT: u16 = 0x1000;
    pub const MAY_CREATE_MPT: u16 = 0x2000;
}

/// A type of transaction.
pub struct TransactionType {
    /// `TransactionType` in binary.
    pub code: u16,
    /// Its name.
    pub name: &'static str,
    /// Whether another account may be given the right to send it.
    pub delegable: bool,
    /// The amendment without which it is `temDISABLED`.
    pub amendment: Option<Amendment>,
    /// [`privilege`]s.
    pub privileges: u16,
    /// What does it; none for types not built.
    pub transactor: Option<&'static dyn Transactor>,
}

impl std::fmt::Debug for TransactionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn row(
    code: u16,
    name: &'static str,
    delegable: bool,
    amendment: Option<Amendment>,
    privileges: u16,
    transactor: Option<&'static dyn Transactor>,
) -> TransactionType {
    TransactionType { code, name, delegable, amendment, privileges, transactor }
}

// Code, name, delegable, amendment, privileges, transactor.
#[rustfmt::skip]
static TABLE: &[TransactionType] = &[
    row(0, "Payment", true, None, privilege::CREATE_ACCT | privilege::MAY_CREATE_MPT, Some(&payment::Payment)),
    row(1, "EscrowCreate", true, None, 0, Some(&escrow::Create)),
    row(2, "EscrowFinish", true, None, 0, Some(&escrow::Finish)),
    row(3, "AccountSet", false, None, 0, Some(&account_set::AccountSet)),
    row(4, "EscrowCancel", true, None, 0, Some(&escrow::Cancel)),
    row(5, "SetRegularKey", false, None, 0, Some(&regular_key::SetRegularKey)),
    row(7, "OfferCreate", true, None, privilege::MAY_CREATE_MPT, Some(&offer::OfferCreate)),
    row(8, "OfferCancel", true, None, 0, Some(&offer::OfferCancel)),
    row(10, "TicketCreate", true, None, 0, Some(&ticket::TicketCreate)),
    row(12, "SignerListSet", false, None, 0, Some(&signer_list::SignerListSet)),
    row(13, "PaymentChannelCreate", true, None, 0, Some(&payment_channel::Create)),
    row(14, "PaymentChannelFund", true, None, 0, Some(&payment_channel::Fund)),
    row(15, "PaymentChannelClaim", true, None, 0, Some(&payment_channel::Claim)),
    row(16, "CheckCreate", true, None, 0, Some(&check::Create)),
    row(17, "CheckCash", true, None, privilege::MAY_CREATE_MPT, Some(&check::Cash)),
    row(18, "CheckCancel", true, None, 0, Some(&check::Cancel)),
    row(19, "DepositPreauth", true, None, 0, Some(&deposit_preauth::DepositPreauth)),
    row(20, "TrustSet", true, None, 0, Some(&trust_set::TrustSet)),
    row(21, "AccountDelete", false, None, privilege::MUST_DELETE_ACCT, Some(&account_delete::AccountDelete)),
    row(25, "NFTokenMint", true, None, privilege::CHANGE_NFT_COUNTS, Some(&nft::NFTokenMint)),
    row(26, "NFTokenBurn", true, None, privilege::CHANGE_NFT_COUNTS, Some(&nft::NFTokenBurn)),
    row(27, "NFTokenCreateOffer", true, None, 0, Some(&nft::NFTokenCreateOffer)),
    row(28, "NFTokenCancelOffer", true, None, 0, Some(&nft::NFTokenCancelOffer)),
    row(29, "NFTokenAcceptOffer", true, None, 0, Some(&nft::NFTokenAcceptOffer)),
    row(30, "Clawback", true, None, 0, Some(&clawback::Clawback)),
    row(31, "AMMClawback", true, Some(amendment::AMM_CLAWBACK), privilege::MAY_DELETE_ACCT | privilege::OVERRIDE_FREEZE | privilege::MAY_AUTHORIZE_MPT, Some(&amm::Clawback)),
    row(35, "AMMCreate", true, Some(amendment::AMM), privilege::CREATE_PSEUDO_ACCT | privilege::MAY_CREATE_MPT, Some(&amm::Create)),
    row(36, "AMMDeposit", true, Some(amendment::AMM), 0, Some(&amm::Deposit)),
    row(37, "AMMWithdraw", true, Some(amendment::AMM), privilege::MAY_DELETE_ACCT | privilege::MAY_AUTHORIZE_MPT, Some(&amm::Withdraw)),
    row(38, "AMMVote", true, Some(amendment::AMM), 0, Some(&amm::Vote)),
    row(39, "AMMBid", true, Some(amendment::AMM), 0, Some(&amm::Bid)),
    row(40, "AMMDelete", true, Some(amendment::AMM), privilege::MUST_DELETE_ACCT | privilege::MAY_DELETE_MPT, Some(&amm::Delete)),
    row(41, "XChainCreateClaimID", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainCreateClaimId)),
    row(42, "XChainCommit", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainCommit)),
    row(43, "XChainClaim", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainClaim)),
    row(44, "XChainAccountCreateCommit", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainAccountCreateCommit)),
    row(45, "XChainAddClaimAttestation", true, Some(amendment::XCHAIN_BRIDGE), privilege::CREATE_ACCT, Some(&xchain::XChainAddClaimAttestation)),
    row(46, "XChainAddAccountCreateAttestation", true, Some(amendment::XCHAIN_BRIDGE), privilege::CREATE_ACCT, Some(&xchain::XChainAddAccountCreateAttestation)),
    row(47, "XChainModifyBridge", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainModifyBridge)),
    row(48, "XChainCreateBridge", true, Some(amendment::XCHAIN_BRIDGE), 0, Some(&xchain::XChainCreateBridge)),
    row(49, "DIDSet", true, Some(amendment::DID), 0, Some(&did::DidSet)),
    row(50, "DIDDelete", true, Some(amendment::DID), 0, Some(&did::DidDelete)),
    row(51, "OracleSet", true, Some(amendment::PRICE_ORACLE), 0, Some(&oracle::OracleSet)),
    row(52, "OracleDelete", true, Some(amendment::PRICE_ORACLE), 0, Some(&oracle::OracleDelete)),
    row(53, "LedgerStateFix", true, Some(amendment::FIX_NFTOKEN_PAGE_LINKS), 0, Some(&ledger_state_fix::LedgerStateFix)),
    row(54, "MPTokenIssuanceCreate", true, Some(amendment::MPTOKENS_V1), privilege::CREATE_MPT_ISSUANCE, Some(&mpt::MPTokenIssuanceCreate)),
    row(55, "MPTokenIssuanceDestroy", true, Some(amendment::MPTOKENS_V1), privilege::DESTROY_MPT_ISSUANCE, Some(&mpt::MPTokenIssuanceDestroy)),
    row(56, "MPTokenIssuanceSet", true, Some(amendment::MPTOKENS_V1), 0, Some(&mpt::MPTokenIssuanceSet)),
    row(57, "MPTokenAuthorize", true, Some(amendment::MPTOKENS_V1), privilege::MUST_AUTHORIZE_MPT, Some(&mpt::MPTokenAuthorize)),
    row(58, "CredentialCreate", true, Some(amendment::CREDENTIALS), 0, Some(&credential::CredentialCreate)),
    row(59, "CredentialAccept", true, Some(amendment::CREDENTIALS), 0, Some(&credential::CredentialAccept)),
    row(60, "CredentialDelete", true, Some(amendment::CREDENTIALS), 0, Some(&credential::CredentialDelete)),
    row(61, "NFTokenModify", true, Some(amendment::DYNAMIC_NFT), 0, Some(&nft::NFTokenModify)),
    row(62, "PermissionedDomainSet", true, Some(amendment::PERMISSIONED_DOMAINS), 0, Some(&permissioned_domain::PermissionedDomainSet)),
    row(63, "PermissionedDomainDelete", true, Some(amendment::PERMISSIONED_DOMAINS), 0, Some(&permissioned_domain::PermissionedDomainDelete)),
    row(64, "DelegateSet", false, Some(amendment::PERMISSION_DELEGATION_V1_1), 0, Some(&delegate::DelegateSet)),
    row(65, "VaultCreate", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::CREATE_PSEUDO_ACCT | privilege::CREATE_MPT_ISSUANCE | privilege::MUST_MODIFY_VAULT, Some(&vault::Create)),
    row(66, "VaultSet", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::MUST_MODIFY_VAULT, Some(&vault::Set)),
    row(67, "VaultDelete", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::MUST_DELETE_ACCT | privilege::DESTROY_MPT_ISSUANCE | privilege::MUST_MODIFY_VAULT, Some(&vault::Delete)),
    row(68, "VaultDeposit", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::MAY_AUTHORIZE_MPT | privilege::MUST_MODIFY_VAULT, Some(&vault::Deposit)),
    row(69, "VaultWithdraw", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::MAY_DELETE_MPT | privilege::MAY_AUTHORIZE_MPT | privilege::MUST_MODIFY_VAULT, Some(&vault::Withdraw)),
    row(70, "VaultClawback", false, Some(amendment::SINGLE_ASSET_VAULT), privilege::MAY_DELETE_MPT | privilege::MUST_MODIFY_VAULT, Some(&vault::Clawback)),
    row(71, "Batch", false, Some(amendment::BATCH_V1_1), 0, Some(&batch::Batch)),
    row(74, "LoanBrokerSet", false, Some(amendment::LENDING_PROTOCOL), privilege::CREATE_PSEUDO_ACCT | privilege::MAY_AUTHORIZE_MPT, Some(&lending::BrokerSet)),
    row(75, "LoanBrokerDelete", false, Some(amendment::LENDING_PROTOCOL), privilege::MUST_DELETE_ACCT | privilege::MAY_AUTHORIZE_MPT, Some(&lending::BrokerDelete)),
    row(76, "LoanBrokerCoverDeposit", false, Some(amendment::LENDING_PROTOCOL), 0, Some(&lending::CoverDeposit)),
    row(77, "LoanBrokerCoverWithdraw", false, Some(amendment::LENDING_PROTOCOL), privilege::MAY_AUTHORIZE_MPT, Some(&lending::CoverWithdraw)),
    row(78, "LoanBrokerCoverClawback", false, Some(amendment::LENDING_PROTOCOL), 0, Some(&lending::CoverClawback)),
    row(80, "LoanSet", false, Some(amendment::LENDING_PROTOCOL), privilege::MAY_AUTHORIZE_MPT | privilege::MUST_MODIFY_VAULT, Some(&lending::LoanSet)),
    row(81, "LoanDelete", false, Some(amendment::LENDING_PROTOCOL), 0, Some(&lending::LoanDelete)),
    row(82, "LoanManage", false, Some(amendment::LENDING_PROTOCOL), privilege::MAY_MODIFY_VAULT, Some(&lending::LoanManage)),
    row(84, "LoanPay", false, Some(amendment::LENDING_PROTOCOL), privilege::MAY_AUTHORIZE_MPT | privilege::MUST_MODIFY_VAULT, Some(&lending::LoanPay)),
    row(85, "ConfidentialMPTConvert", true, Some(amendment::CONFIDENTIAL_TRANSFER), 0, Some(&mpt::confidential::Convert)),
    row(86, "ConfidentialMPTMergeInbox", true, Some(amendment::CONFIDENTIAL_TRANSFER), 0, Some(&mpt::confidential::MergeInbox)),
    row(87, "ConfidentialMPTConvertBack", true, Some(amendment::CONFIDENTIAL_TRANSFER), 0, Some(&mpt::confidential::ConvertBack)),
    row(88, "ConfidentialMPTSend", true, Some(amendment::CONFIDENTIAL_TRANSFER), 0, Some(&mpt::confidential::Send)),
    row(89, "ConfidentialMPTClawback", true, Some(amendment::CONFIDENTIAL_TRANSFER), 0, Some(&mpt::confidential::Clawback)),
];

/// The type of that code.
#[must_use]
pub fn transaction_type(code: u16) -> Option<&'static TransactionType> {
    TABLE.binary_search_by_key(&code, |row| row.code).ok().map(|at| &TABLE[at])
}

/// What does a type, if it is built.
#[must_use]
pub fn transactor(code: u16) -> Option<&'static dyn Transactor> {
    transaction_type(code)?.transactor
}

/// Whether a type has a privilege.
#[must_use]
pub fn has_privilege(code: u16, privilege: u16) -> bool {
    transaction_type(code).is_some_and(|row| row.privileges & privilege != 0)
}

#[cfg(test)]
mod tests {
    use xrpl_protocol::Definitions;

    use super::*;

    #[test]
    fn every_sendable_type_has_its_row() {
        assert!(TABLE.is_sorted_by_key(|row| row.code));
        let definitions = Definitions::builtin();
        for (name, code) in
            definitions.transaction_types().filter(|(_, code)| (0..100).contains(code))
        {
            let row = transaction_type(u16::try_from(code).unwrap());
            assert_eq!(row.map(|row| row.name), Some(name), "{code}");
        }
    }
}
