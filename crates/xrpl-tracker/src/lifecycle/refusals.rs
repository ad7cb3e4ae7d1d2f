//! What a node does with a transaction that it answers with `tel`, `tem`, `tef` or `ter`, code by
//! code, and what such an answer therefore proves
//! (<https://xrpl.org/docs/references/protocol/transactions/transaction-results>).
//!
//! As xrpld 3.3.0-b0 does it:
//!
//! - What it answers with `tel`, `tef` or `ter` it holds, if it was submitted to it: it applies it
//!   by itself once that works, on the next ledgers or when the account's earlier Sequence comes.
//!   So none of them is an end, however hopeless it reads: `tefBAD_AUTH` applies after the
//!   account's SetRegularKey.
//! - What it answers with `tem` it does not hold, but it tries it once more on each of the next
//!   five open ledgers, as it does with everything submitted to it. Most `tem` come of rules that look
//!   at no account and no entry, so that only other rules could turn it: an amendment that is
//!   enabled meanwhile, which happens right after a flag ledger and at no other time. Some come of
//!   the ledger, and another one may turn them: `turned` has them.
//! - It passes on to its peers what it applied or queued. A node that is not in sync passes on
//!   everything; `broadcast` in the answer says so.
//! - With `fail_hard` it keeps nothing that it does not apply or queue at once, passes nothing of
//!   it on, does not queue, and a `tec` is not applied.
//! - A blob that it answered with `tem` before, it answers with `temBAD_SIGNATURE`, without looking
//!   at it. A signature that is wrong is answered with the error `invalidTransaction` instead.

use xrpl_protocol::{EngineResult as R, ResultClass};

use crate::evidence::ResultName;

/// Amendments are enabled by the ledger after each whole multiple of this.
const FLAG_LEDGER_INTERVAL: u32 = 256;

/// For how many ledgers after its last validated one a node may try a `tem` again: the five for
/// which it keeps what was submitted to it, the open ledger, and those that it has closed and
/// awaits the validations of.
pub(crate) const TRIED_AGAIN: u32 = 16;

/// What a node does with a transaction that it does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It breaks rules that look at no ledger, but for those of `turned`. Not held, and refused whenever
    /// it is tried again under the same amendments.
    Malformed,
    /// The node had this blob before and marked it bad; it did not look again.
    MarkedBad,
    /// Held, and applied once what it lacks is there.
    Held,
    /// In the transaction queue, and held in case it is dropped from there.
    Queued,
    /// It is in the node's open ledger already.
    Known,
    /// Held; and a node that has applied it says the same.
    SlotGone,
    /// Held, in vain; and a node that has applied it earlier says the same.
    TooLate,
    /// The name of a step inside the node; no answer says it.
    NeverAnswered,
}

impl Fate {
    /// Whether the node keeps it for later ledgers when it was not submitted with `fail_hard`.
    #[must_use]
    pub const fn is_held(self) -> bool {
        !matches!(self, Self::Malformed | Self::MarkedBad | Self::NeverAnswered)
    }

    /// Whether a node in sync passes it on to its peers.
    #[must_use]
    pub const fn is_relayed(self) -> bool {
        matches!(self, Self::Queued | Self::Known)
    }

    /// Whether the same blob may apply later (or has applied already) though it was answered so.
    #[must_use]
    pub const fn may_apply(self) -> bool {
        !matches!(self, Self::Malformed)
    }
}

/// Every code of the four families, in the order of their numbers, with what could yet make it
/// apply.
#[rustfmt::skip]
pub(super) const FATES: &[(R, Fate, &str)] = {
    use Fate::{Held, Known, MarkedBad, NeverAnswered, Queued, SlotGone, TooLate};
    const OTHER_RULES: &str = "only other rules could";
    const fn tem(code: R) -> (R, Fate, &'static str) { (code, Fate::Malformed, OTHER_RULES) }
    &[
        (R::TEL_LOCAL_ERROR, Held, "another node, or this one later"),
        (R::TEL_BAD_DOMAIN, Held, "a node with another limit"),
        (R::TEL_BAD_PATH_COUNT, Held, "a node with another limit"),
        (R::TEL_BAD_PUBLIC_KEY, Held, "a node with another limit"),
        (R::TEL_FAILED_PROCESSING, Held, "another node, or this one later"),
        (R::TEL_INSUF_FEE_P, Held, "the node's load falls, or a node with less"),
        (R::TEL_NO_DST_PARTIAL, Held, "the destination is created"),
        (R::TEL_CAN_NOT_QUEUE, Held, "the account's earlier ones leave the queue"),
        (R::TEL_CAN_NOT_QUEUE_BALANCE, Held, "the account's queued ones are validated, or it is paid"),
        (R::TEL_CAN_NOT_QUEUE_BLOCKS, Held, "the account's queued ones are validated"),
        (R::TEL_CAN_NOT_QUEUE_BLOCKED, Held, "what blocks the account's queue is validated"),
        (R::TEL_CAN_NOT_QUEUE_FEE, Held, "the queued one of the same Sequence is dropped"),
        (R::TEL_CAN_NOT_QUEUE_FULL, Held, "the queue has room, or the fee falls"),
        (R::TEL_WRONG_NETWORK, Held, "a node of the network that it names"),
        (R::TEL_REQUIRES_NETWORK_ID, Held, "a node of a network that wants no id"),
        (R::TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL, Held, "a node of a network that wants an id"),
        (R::TEL_ENV_RPC_FAILED, NeverAnswered, "it is of xrpld's own tests"),
        tem(R::TEM_MALFORMED),
        tem(R::TEM_BAD_AMOUNT),
        tem(R::TEM_BAD_CURRENCY),
        tem(R::TEM_BAD_EXPIRATION),
        tem(R::TEM_BAD_FEE),
        tem(R::TEM_BAD_ISSUER),
        tem(R::TEM_BAD_LIMIT),
        tem(R::TEM_BAD_OFFER),
        tem(R::TEM_BAD_PATH),
        tem(R::TEM_BAD_PATH_LOOP),
        tem(R::TEM_BAD_REGKEY),
        tem(R::TEM_BAD_SEND_XRP_LIMIT),
        tem(R::TEM_BAD_SEND_XRP_MAX),
        tem(R::TEM_BAD_SEND_XRP_NO_DIRECT),
        tem(R::TEM_BAD_SEND_XRP_PARTIAL),
        tem(R::TEM_BAD_SEND_XRP_PATHS),
        tem(R::TEM_BAD_SEQUENCE),
        (R::TEM_BAD_SIGNATURE, MarkedBad, "whatever became of it where it was sent before"),
        tem(R::TEM_BAD_SRC_ACCOUNT),
        tem(R::TEM_BAD_TRANSFER_RATE),
        tem(R::TEM_DST_IS_SRC),
        tem(R::TEM_DST_NEEDED),
        tem(R::TEM_INVALID),
        tem(R::TEM_INVALID_FLAG),
        tem(R::TEM_REDUNDANT),
        tem(R::TEM_RIPPLE_EMPTY),
        tem(R::TEM_DISABLED),
        tem(R::TEM_BAD_SIGNER),
        tem(R::TEM_BAD_QUORUM),
        tem(R::TEM_BAD_WEIGHT),
        tem(R::TEM_BAD_TICK_SIZE),
        tem(R::TEM_INVALID_ACCOUNT_ID),
        tem(R::TEM_CANNOT_PREAUTH_SELF),
        tem(R::TEM_INVALID_COUNT),
        (R::TEM_UNCERTAIN, NeverAnswered, "the node leaves the result out instead"),
        tem(R::TEM_UNKNOWN),
        tem(R::TEM_SEQ_AND_TICKET),
        tem(R::TEM_BAD_NFTOKEN_TRANSFER_FEE),
        tem(R::TEM_BAD_AMM_TOKENS),
        tem(R::TEM_XCHAIN_EQUAL_DOOR_ACCOUNTS),
        tem(R::TEM_XCHAIN_BAD_PROOF),
        tem(R::TEM_XCHAIN_BRIDGE_BAD_ISSUES),
        tem(R::TEM_XCHAIN_BRIDGE_NONDOOR_OWNER),
        tem(R::TEM_XCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT),
        tem(R::TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT),
        tem(R::TEM_EMPTY_DID),
        tem(R::TEM_ARRAY_EMPTY),
        tem(R::TEM_ARRAY_TOO_LARGE),
        tem(R::TEM_BAD_TRANSFER_FEE),
        tem(R::TEM_INVALID_INNER_BATCH),
        tem(R::TEM_BAD_MPT),
        tem(R::TEM_BAD_CIPHERTEXT),
        (R::TEF_FAILURE, Held, "a later ledger"),
        (R::TEF_ALREADY, Known, "it is applied"),
        (R::TEF_BAD_ADD_AUTH, NeverAnswered, "no transaction type answers it any more"),
        (R::TEF_BAD_AUTH, Held, "the key becomes the account's regular key"),
        (R::TEF_BAD_LEDGER, Held, "a later ledger, a node with other state"),
        (R::TEF_CREATED, NeverAnswered, "no transaction type answers it any more"),
        (R::TEF_EXCEPTION, Held, "another node, or this one later"),
        (R::TEF_INTERNAL, Held, "a later ledger, another version of the node"),
        (R::TEF_NO_AUTH_REQUIRED, Held, "the issuer comes to require authorisation"),
        (R::TEF_PAST_SEQ, SlotGone, "it is applied, or what used its Sequence drops out before it is validated"),
        (R::TEF_WRONG_PRIOR, Held, "the transaction of AccountTxnID becomes the account's last"),
        (R::TEF_MASTER_DISABLED, Held, "the account enables its master key"),
        (R::TEF_MAX_LEDGER, TooLate, "it is in an earlier ledger, or this node is ahead of the others"),
        (R::TEF_BAD_SIGNATURE, Held, "the account's signer list comes to name the signer, or its key"),
        (R::TEF_BAD_QUORUM, Held, "the account's quorum falls"),
        (R::TEF_NOT_MULTI_SIGNING, Held, "the account makes a signer list"),
        (R::TEF_BAD_AUTH_MASTER, Held, "the account is created, or the key becomes its regular key"),
        (R::TEF_INVARIANT_FAILED, Held, "a later ledger"),
        (R::TEF_TOO_BIG, Held, "the account comes to own less"),
        (R::TEF_NO_TICKET, SlotGone, "it is applied, or what used its Ticket drops out before it is validated"),
        (R::TEF_NFTOKEN_IS_NOT_TRANSFERABLE, Held, "the issuer changes the token or is a party to it"),
        (R::TEF_INVALID_LEDGER_FIX_TYPE, Held, "another version of the node"),
        (R::TEF_NO_DST_PARTIAL, Held, "the destination is created"),
        (R::TEF_BAD_PATH_COUNT, Held, "a node with another limit"),
        (R::TER_RETRY, Held, "a later ledger"),
        (R::TER_FUNDS_SPENT, NeverAnswered, "it is of the past"),
        (R::TER_INSUF_FEE_B, Held, "the account is paid"),
        (R::TER_NO_ACCOUNT, Held, "the account is created"),
        (R::TER_NO_AUTH, Held, "the issuer authorises the account"),
        (R::TER_NO_LINE, Held, "the trust line is made"),
        (R::TER_OWNERS, Held, "what the account owns is deleted"),
        (R::TER_PRE_SEQ, Held, "the Sequences before it are used"),
        (R::TER_LAST, NeverAnswered, "it is of the past"),
        (R::TER_NO_RIPPLE, Held, "the issuer allows rippling"),
        (R::TER_QUEUED, Queued, "its turn in the queue"),
        (R::TER_PRE_TICKET, Held, "the Ticket is made"),
        (R::TER_NO_AMM, Held, "the pool is made"),
        (R::TER_ADDRESS_COLLISION, Held, "a later ledger: the address follows from its hash"),
        (R::TER_NO_DELEGATE_PERMISSION, Held, "the account permits the delegate"),
        (R::TER_LOCKED, Held, "the tokens are unlocked"),
    ]
};

/// What a node does with a transaction that it answers so. None of a result that says it was
/// applied, or that is the name of no result.
///
/// Codes newer than the table go by their class, as they do in xrpld.
#[must_use]
pub fn fate(result: &ResultName) -> Option<Fate> {
    if let ResultName::Known(code) = result
        && let Ok(at) = FATES.binary_search_by_key(code, |row| row.0)
    {
        return Some(FATES[at].1);
    }
    match result.class()? {
        ResultClass::Tem => Some(Fate::Malformed),
        ResultClass::Tel | ResultClass::Tef | ResultClass::Ter => Some(Fate::Held),
        ResultClass::Tes | ResultClass::Tec => None,
    }
}

/// Whether what a node answers so may be said of a transaction that it has applied.
#[must_use]
pub fn hides_success(result: &ResultName) -> bool {
    matches!(fate(result), Some(Fate::SlotGone | Fate::TooLate))
}

/// How a submission was handled, besides its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Handling {
    /// It was submitted with `fail_hard`.
    pub fail_hard: bool,
    /// The node sent it to its peers, or does not say whether it did.
    pub passed_on: bool,
    /// The node says that it is not in its open ledger.
    pub not_applied: bool,
    /// The node may come to another result while it still tries it: an amendment may be enabled (see
    /// [`rules_may_change`]), or what it answered is due to its ledger (see
    /// [`super::turned::may_depend_on_ledger`]).
    pub may_turn: bool,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The node has it in its open ledger or its queue.
    Taken,
    /// It may apply later; sending it again helps.
    NotYet,
    /// It may apply later, or has been applied: the ledger is to be asked.
    InDoubt,
    /// It may apply later or elsewhere; sending it again does not help.
    Opinion,
    /// This node will never apply it and has given it to no other: if it is nowhere else, this is
    /// its end.
    Refused,
}

/// What an engine result means, of a submission that was handled so.
#[must_use]
pub fn meaning(result: &ResultName, handling: Handling) -> Meaning {
    let kept_by_nobody = handling.fail_hard && !handling.passed_on;
    match fate(result) {
        None => match result.class() {
            Some(ResultClass::Tec) if kept_by_nobody && handling.not_applied => Meaning::Refused,
            Some(_) => Meaning::Taken,
            // Not the name of a result: nothing is known about what the node did with it.
            None => Meaning::Opinion,
        },
        Some(Fate::Queued | Fate::Known) => Meaning::Taken,
        // The node may say this of the first of two copies, which what lies between has made.
        Some(Fate::SlotGone | Fate::TooLate) => Meaning::InDoubt,
        Some(Fate::MarkedBad | Fate::NeverAnswered) => Meaning::Opinion,
        Some(Fate::Malformed) if kept_by_nobody => Meaning::Refused,
        Some(Fate::Malformed) if handling.passed_on || handling.may_turn => Meaning::Opinion,
        Some(Fate::Malformed) => Meaning::Refused,
        Some(Fate::Held) if kept_by_nobody => Meaning::Refused,
        Some(Fate::Held) => Meaning::NotYet,
    }
}

/// Whether an amendment may be enabled while a node whose last validated ledger is this one still
/// tries what it was given now.
#[must_use]
pub fn rules_may_change(validated: u32) -> bool {
    // The ledger after a flag ledger is the first whose successors have the new rules.
    let enabled_by = |ledger: u32| ledger.saturating_sub(1) / FLAG_LEDGER_INTERVAL;
    enabled_by(validated) != enabled_by(validated.saturating_add(TRIED_AGAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft() -> Handling {
        Handling::default()
    }

    fn hard() -> Handling {
        Handling { fail_hard: true, not_applied: true, ..soft() }
    }

    /// Every code of the four families has one row, of the kind that its class has in xrpld, and
    /// what is said of it follows the row.
    #[test]
    fn every_code_is_decided() {
        assert!(FATES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut rows = FATES.iter();
        let family = |code: &R| !matches!(code.class(), ResultClass::Tes | ResultClass::Tec);
        for code in R::all().filter(family) {
            let (in_row, fate_of, why) = rows.next().expect("a row for each code");
            assert_eq!(*in_row, code, "each code has its row");
            assert!(!why.is_empty());
            let name = ResultName::Known(code);
            assert_eq!(fate(&name), Some(*fate_of));
            let is_tem = code.class() == ResultClass::Tem;
            let of_tem = matches!(fate_of, Fate::Malformed | Fate::MarkedBad | Fate::NeverAnswered);
            assert!(!is_tem || of_tem, "{code}");
            assert!(is_tem || !matches!(fate_of, Fate::Malformed | Fate::MarkedBad), "{code}");
            // An end only where nothing can come of it any more.
            let refused = meaning(&name, soft()) == Meaning::Refused;
            assert_eq!(refused, !fate_of.may_apply(), "{code}");
            assert!(!(refused && (fate_of.is_held() || fate_of.is_relayed())), "{code}");
            // Held by nobody under fail_hard, but for what may be a second copy's answer.
            let refused_hard = meaning(&name, hard()) == Meaning::Refused;
            assert_eq!(refused_hard, matches!(fate_of, Fate::Malformed | Fate::Held), "{code}");
            assert_eq!(hides_success(&name), meaning(&name, soft()) == Meaning::InDoubt, "{code}");
        }
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn what_else_the_answer_says_decides_too() {
        let tem = ResultName::new("temDISABLED");
        assert_eq!(meaning(&tem, soft()), Meaning::Refused);
        assert_eq!(meaning(&tem, Handling { passed_on: true, ..soft() }), Meaning::Opinion);
        let changing = Handling { may_turn: true, ..soft() };
        assert_eq!(meaning(&tem, changing), Meaning::Opinion);
        assert_eq!(meaning(&tem, Handling { fail_hard: true, ..changing }), Meaning::Refused);
        assert_eq!(meaning(&tem, Handling { passed_on: true, ..hard() }), Meaning::Opinion);
        let tef = ResultName::new("tefBAD_AUTH");
        assert_eq!(meaning(&tef, Handling { passed_on: true, ..hard() }), Meaning::NotYet);
        let tec = ResultName::new("tecPATH_DRY");
        assert_eq!(meaning(&tec, hard()), Meaning::Refused);
        assert_eq!(meaning(&tec, Handling { not_applied: true, ..soft() }), Meaning::Taken);
        assert_eq!(meaning(&tec, Handling { not_applied: false, ..hard() }), Meaning::Taken);
        assert_eq!(meaning(&ResultName::new("tesSUCCESS"), hard()), Meaning::Taken);
    }

    #[test]
    fn codes_of_the_future_go_by_their_class() {
        for (name, expected) in [
            ("temNEW_IN_2031", Some(Fate::Malformed)),
            ("tefNEW_IN_2031", Some(Fate::Held)),
            ("telNEW_IN_2031", Some(Fate::Held)),
            ("terNEW_IN_2031", Some(Fate::Held)),
            ("tecNEW_IN_2031", None),
            ("nonsense", None),
        ] {
            assert_eq!(fate(&ResultName::new(name)), expected, "{name}");
        }
        assert_eq!(meaning(&ResultName::new("nonsense"), soft()), Meaning::Opinion);
    }

    #[test]
    fn amendments_come_right_after_flag_ledgers() {
        // Ledger 257 enables; ledger 258 is the first with the new rules.
        for (validated, may) in [
            (1, false),
            (240, false),
            (241, true),
            (256, true),
            (257, false),
            (300, false),
            (497, true),
            (0, false),
            (u32::MAX, false),
        ] {
            assert_eq!(rules_may_change(validated), may, "{validated}");
        }
    }

    /// Held, relayed, may apply.
    #[test]
    fn what_follows_from_each_fate() {
        let rows = [
            (Fate::Malformed, [false, false, false]),
            (Fate::MarkedBad, [false, false, true]),
            (Fate::Held, [true, false, true]),
            (Fate::Queued, [true, true, true]),
            (Fate::Known, [true, true, true]),
            (Fate::SlotGone, [true, false, true]),
            (Fate::TooLate, [true, false, true]),
            (Fate::NeverAnswered, [false, false, true]),
        ];
        for (fate, means) in rows {
            assert_eq!([fate.is_held(), fate.is_relayed(), fate.may_apply()], means, "{fate:?}");
        }
    }
}
