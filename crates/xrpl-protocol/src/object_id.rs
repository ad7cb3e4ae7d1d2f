//! Ids of ledger entries: SHA-512Half over a two-byte space and what identifies the entry
//! (<https://xrpl.org/docs/references/protocol/ledger-data/common-fields#ledger-entry-id>).

use crate::{AccountId, Currency, Hash256, Issue, MptId, hash::sha512_half, object::XChainBridge};

fn id(space: u8, parts: &[&[u8]]) -> Hash256 {
    let space = [0, space];
    let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
    all.push(&space);
    all.extend_from_slice(parts);
    sha512_half(&all)
}

/// An account's AccountRoot.
#[must_use]
pub fn account_root(account: AccountId) -> Hash256 {
    id(b'a', &[&account.0])
}

/// The RippleState between two accounts in a currency.
#[must_use]
pub fn trust_line(a: AccountId, b: AccountId, currency: Currency) -> Hash256 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    id(b'r', &[&low.0, &high.0, &currency.0])
}

/// The first page of an account's owner directory.
#[must_use]
pub fn owner_dir(account: AccountId) -> Hash256 {
    id(b'O', &[&account.0])
}

/// A page of a directory; page 0 is the root itself.
#[must_use]
pub fn dir_page(root: Hash256, page: u64) -> Hash256 {
    if page == 0 { root } else { id(b'd', &[&root.0, &page.to_be_bytes()]) }
}

/// An Offer.
#[must_use]
pub fn offer(account: AccountId, sequence: u32) -> Hash256 {
    id(b'o', &[&account.0, &sequence.to_be_bytes()])
}

/// An issue's currency and issuer; zeros for XRP, the id alone for an MPT.
fn issue_parts(issue: Issue) -> (Vec<u8>, Vec<u8>) {
    match issue {
        Issue::Xrp => (vec![0; 20], vec![0; 20]),
        Issue::Issued { currency, issuer } => (currency.0.to_vec(), issuer.0.to_vec()),
        Issue::Mpt(mpt) => (mpt.0.to_vec(), Vec::new()),
    }
}

/// The AMM of two assets, in any order.
#[must_use]
pub fn amm(asset: Issue, other: Issue) -> Hash256 {
    let (low, high) = (issue_parts(asset.min(other)), issue_parts(asset.max(other)));
    id(b'A', &[&low.1, &low.0, &high.1, &high.0])
}

/// The first page of the offers of a book at a quality; `domain` is that of a permissioned book.
#[must_use]
pub fn book_dir(pays: Issue, gets: Issue, domain: Option<Hash256>, quality: u64) -> Hash256 {
    let (pays, gets) = (issue_parts(pays), issue_parts(gets));
    let domain = domain.as_ref().map_or(&[][..], |domain| &domain.0);
    let mut base = id(b'B', &[&pays.0, &gets.0, &pays.1, &gets.1, domain]);
    base.0[24..].copy_from_slice(&quality.to_be_bytes());
    base
}

/// A Ticket.
#[must_use]
pub fn ticket(account: AccountId, number: u32) -> Hash256 {
    id(b'T', &[&account.0, &number.to_be_bytes()])
}

/// An account's SignerList.
#[must_use]
pub fn signer_list(account: AccountId) -> Hash256 {
    id(b'S', &[&account.0, &0u32.to_be_bytes()])
}

/// A Check.
#[must_use]
pub fn check(account: AccountId, sequence: u32) -> Hash256 {
    id(b'C', &[&account.0, &sequence.to_be_bytes()])
}

/// An Escrow.
#[must_use]
pub fn escrow(account: AccountId, sequence: u32) -> Hash256 {
    id(b'u', &[&account.0, &sequence.to_be_bytes()])
}

/// A PayChannel.
#[must_use]
pub fn pay_channel(account: AccountId, destination: AccountId, sequence: u32) -> Hash256 {
    id(b'x', &[&account.0, &destination.0, &sequence.to_be_bytes()])
}

/// A DepositPreauth for an account.
#[must_use]
pub fn deposit_preauth(owner: AccountId, authorized: AccountId) -> Hash256 {
    id(b'p', &[&owner.0, &authorized.0])
}

/// The last page that can hold NFTs of an account.
#[must_use]
pub fn nft_page_max(owner: AccountId) -> Hash256 {
    let mut page = Hash256([0xff; 32]);
    page.0[..20].copy_from_slice(&owner.0);
    page
}

/// An NFTokenOffer.
#[must_use]
pub fn nft_offer(owner: AccountId, sequence: u32) -> Hash256 {
    id(b'q', &[&owner.0, &sequence.to_be_bytes()])
}

/// The directory of the buy offers for an NFT.
#[must_use]
pub fn nft_buy_offers(nft: Hash256) -> Hash256 {
    id(b'h', &[&nft.0])
}

/// The directory of the sell offers for an NFT.
#[must_use]
pub fn nft_sell_offers(nft: Hash256) -> Hash256 {
    id(b'i', &[&nft.0])
}

/// An MPTokenIssuance.
#[must_use]
pub fn mpt_issuance(issuance: MptId) -> Hash256 {
    id(b'~', &[&issuance.0])
}

/// A holder's MPToken.
#[must_use]
pub fn mptoken(issuance: MptId, holder: AccountId) -> Hash256 {
    id(b't', &[&mpt_issuance(issuance).0, &holder.0])
}

/// A DID.
#[must_use]
pub fn did(account: AccountId) -> Hash256 {
    id(b'I', &[&account.0])
}

/// An Oracle.
#[must_use]
pub fn oracle(account: AccountId, document: u32) -> Hash256 {
    id(b'R', &[&account.0, &document.to_be_bytes()])
}

/// A Credential.
#[must_use]
pub fn credential(subject: AccountId, issuer: AccountId, kind: &[u8]) -> Hash256 {
    id(b'D', &[&subject.0, &issuer.0, kind])
}

/// A PermissionedDomain.
#[must_use]
pub fn permissioned_domain(owner: AccountId, sequence: u32) -> Hash256 {
    id(b'm', &[&owner.0, &sequence.to_be_bytes()])
}

/// A Vault.
#[must_use]
pub fn vault(owner: AccountId, sequence: u32) -> Hash256 {
    id(b'V', &[&owner.0, &sequence.to_be_bytes()])
}

/// A Delegate entry.
#[must_use]
pub fn delegate(account: AccountId, authorized: AccountId) -> Hash256 {
    id(b'E', &[&account.0, &authorized.0])
}

/// The one Amendments entry.
#[must_use]
pub fn amendments() -> Hash256 {
    id(b'f', &[])
}

/// The one FeeSettings entry.
#[must_use]
pub fn fees() -> Hash256 {
    id(b'e', &[])
}

/// The LedgerHashes entry of the last 256 ledgers.
#[must_use]
pub fn skip_list() -> Hash256 {
    id(b's', &[])
}

/// The LedgerHashes entry that covers a ledger index among the flag ledgers.
#[must_use]
pub fn skip_list_of(ledger: u32) -> Hash256 {
    id(b's', &[&(ledger >> 16).to_be_bytes()])
}

/// The NegativeUNL.
#[must_use]
pub fn negative_unl() -> Hash256 {
    id(b'N', &[])
}

/// A DepositPreauth for whoever holds these credentials, each an issuer and a kind.
#[must_use]
pub fn deposit_preauth_credentials(
    owner: AccountId,
    credentials: &std::collections::BTreeSet<(AccountId, Vec<u8>)>,
) -> Hash256 {
    let hashes: Vec<u8> =
        credentials.iter().flat_map(|(issuer, kind)| sha512_half(&[&issuer.0, kind]).0).collect();
    // xrpld hashes a list with its length behind it.
    id(b'P', &[&owner.0, &hashes, &(credentials.len() as u64).to_be_bytes()])
}

/// The bridge that a door account keeps for a currency.
#[must_use]
pub fn bridge(door: AccountId, currency: Currency) -> Hash256 {
    id(b'H', &[&door.0, &currency.0])
}

/// What a numbered claim on a bridge is made of.
fn bridge_claim(space: u8, bridge: &XChainBridge, number: u64) -> Hash256 {
    let side = |door: &AccountId, issue: Issue| {
        let (currency, issuer) = issue_parts(issue);
        [&door.0[..], &currency, &issuer].concat()
    };
    let locking = side(&bridge.locking_door, bridge.locking_issue);
    let issuing = side(&bridge.issuing_door, bridge.issuing_issue);
    id(space, &[&locking, &issuing, &number.to_be_bytes()])
}

/// An XChainOwnedClaimID.
#[must_use]
pub fn xchain_claim_id(bridge: &XChainBridge, number: u64) -> Hash256 {
    bridge_claim(b'Q', bridge, number)
}

/// An XChainOwnedCreateAccountClaimID.
#[must_use]
pub fn xchain_create_account_claim_id(bridge: &XChainBridge, number: u64) -> Hash256 {
    bridge_claim(b'K', bridge, number)
}

/// A LoanBroker.
#[must_use]
pub fn loan_broker(owner: AccountId, sequence: u32) -> Hash256 {
    id(b'l', &[&owner.0, &sequence.to_be_bytes()])
}

/// A Loan of a broker.
#[must_use]
pub fn loan(broker: Hash256, sequence: u32) -> Hash256 {
    id(b'L', &[&broker.0, &sequence.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_recorded() {
        let genesis: AccountId = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
        let text = |h: Hash256| h.to_string();
        assert_eq!(
            text(account_root(genesis)),
            "2B6AC232AA4C4BE41BF49D2459FA4A0347E1B543A4C92FCEE0821C0201E2E9A8"
        );
        assert_eq!(
            text(fees()),
            "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"
        );
        assert_eq!(
            text(amendments()),
            "7DB0788C020F02780A673DC74757F23823FA3014C1866E72CC4CD8B226CD6EF4"
        );
        let usd = Issue::Issued {
            currency: "USD".parse().unwrap(),
            issuer: "rsKdakFwt5HwzoXK9keuA7cgmPw44Hptcb".parse().unwrap(),
        };
        let owner = "rEuUQCFxKK7B6DPGgrFE6jC2RobuWruPZn".parse().unwrap();
        let issuer = "raWoYPEvYpjWK8qTEwPVcsBVNzxDhKz1sf".parse().unwrap();
        assert_eq!(
            text(deposit_preauth_credentials(owner, &[(issuer, b"KYC".to_vec())].into())),
            "54867E0C5E81A85D8EADEB63BA54BCD96B966FFDB9359554383EFDD5FE20C8C2"
        );
        let pool = "AB31B91FD45F467A66300F59B10649C522C0113C79F4597A0510C48EEDBDB275";
        assert_eq!(text(amm(Issue::Xrp, usd)), pool);
        assert_eq!(text(amm(usd, Issue::Xrp)), pool);
    }
}
