//! AccountDelete where no recording shows it.

mod bed;

use bed::{Bed, key};
use xrpl_protocol::{Amount, EngineResult, Object, Value, fields};
use xrpl_standalone::ledger::{ReadView, helpers::nft};

const TICKET_CREATE: u16 = 10;
const SIGNER_LIST_SET: u16 = 12;
const DEPOSIT_PREAUTH: u16 = 19;
const ACCOUNT_DELETE: u16 = 21;
const NFTOKEN_MINT: u16 = 25;
const NFTOKEN_CREATE_OFFER: u16 = 27;
/// `tfTransferable` of an NFT.
const TRANSFERABLE: u16 = 8;

/// Tickets, a signer list, a DepositPreauth and an offer for an NFT go with their account, on more
/// pages than one; the rest of its XRP goes to another account.
#[test]
fn a_deleted_account_takes_along_what_it_owns() {
    let mut bed = Bed::funded(3);
    let (a, b) = (key(1), key(2));
    let minted = bed.of(NFTOKEN_MINT, &b).with(fields::NF_TOKEN_TAXON, 0u32);
    let minted = minted.with(fields::FLAGS, u32::from(TRANSFERABLE));
    assert_eq!(bed.sign_and_submit(minted, &b), EngineResult::TES_SUCCESS);
    let token = nft::id(TRANSFERABLE, 0, b.account_id(), 0, bed.sequence(b.account_id()) - 1);
    let tickets = bed.of(TICKET_CREATE, &a).with(fields::TICKET_COUNT, 70u32);
    assert_eq!(bed.sign_and_submit(tickets, &a), EngineResult::TES_SUCCESS);
    let entry =
        Object::new().with(fields::ACCOUNT, b.account_id()).with(fields::SIGNER_WEIGHT, 1u16);
    let mut list = bed.of(SIGNER_LIST_SET, &a).with(fields::SIGNER_QUORUM, 1u32);
    list.set(fields::SIGNER_ENTRIES, Value::Array(vec![(fields::SIGNER_ENTRY, entry)]));
    assert_eq!(bed.sign_and_submit(list, &a), EngineResult::TES_SUCCESS);
    let preauth = bed.of(DEPOSIT_PREAUTH, &a).with(fields::AUTHORIZE, b.account_id());
    assert_eq!(bed.sign_and_submit(preauth, &a), EngineResult::TES_SUCCESS);
    let offer = bed
        .of(NFTOKEN_CREATE_OFFER, &a)
        .with(fields::NF_TOKEN_ID, token)
        .with(fields::OWNER, b.account_id())
        .with(fields::AMOUNT, Amount::Xrp(5));
    assert_eq!(bed.sign_and_submit(offer, &a), EngineResult::TES_SUCCESS);
    assert_eq!(bed.close(), 5);
    let delete = |bed: &Bed| {
        bed.of(ACCOUNT_DELETE, &a)
            .with(fields::DESTINATION, b.account_id())
            .with(fields::FEE, Amount::Xrp(2_000_000))
    };
    let early = delete(&bed);
    assert_eq!(bed.sign_and_submit(early, &a), EngineResult::TEC_TOO_SOON);
    for _ in 0..340 {
        bed.close();
    }
    let left = bed.balance(a.account_id()) + bed.balance(b.account_id()) - 2_000_000;
    let late = delete(&bed);
    assert_eq!(bed.sign_and_submit(late, &a), EngineResult::TES_SUCCESS);
    assert_eq!(bed.close(), 1);
    assert!(bed.node.current().account(a.account_id()).is_none());
    assert_eq!(bed.balance(b.account_id()), left);
    let of_a = |object: &Object| {
        [fields::ACCOUNT, fields::OWNER]
            .into_iter()
            .any(|field| object.account(field) == Some(a.account_id()))
    };
    let first = xrpl_protocol::Hash256::ZERO;
    assert_eq!(bed.node.current().entries_after(&first).filter(|(_, e)| of_a(e)).count(), 0);
    // The Sequence of an account that comes back continues behind any it ever used.
    let again = bed.payment(&b, a.account_id(), 20_000_000);
    assert_eq!(bed.submit(&again), EngineResult::TES_SUCCESS);
    bed.close();
    assert!(bed.sequence(a.account_id()) > 255);
}
