//! The node and its ledger, as far as one account's Sequences are concerned.

/// What the node has of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct AtNode {
    /// In the open ledger, queued or held: it may apply by itself.
    pub(crate) held: bool,
    /// Answered with `tem`, and not looked at again.
    pub(crate) bad: bool,
    /// Somebody else may have it, and hand it in again.
    pub(crate) public: bool,
    /// It arrived, however often.
    pub(crate) arrived: bool,
    /// The validated ledger that has it.
    pub(crate) ledger: Option<u8>,
}

/// What the node looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) number: u8,
    pub(crate) last: u8,
    /// No ledger can take it.
    pub(crate) malformed: bool,
    /// Signed by a key that may become the account's.
    pub(crate) by_other_key: bool,
    /// Answered with `tem` by what the ledger holds, which may change.
    pub(crate) turns: bool,
    pub(crate) fail_hard: bool,
}

/// The account's side of the newest validated ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    pub(crate) head: u8,
    /// The account's Sequence.
    pub(crate) sequence: u8,
    /// Whether the other key is the account's, and the ledger holds what makes what turns valid.
    pub(crate) authorised: bool,
}

/// How kind the node is to a transaction that it could apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mood {
    Applies,
    Queues,
    /// It wants a higher fee for now, or has no room.
    WantsMore,
}

impl Ledger {
    /// What a node answers to a transaction, and what it has of it then. `open` is the first
    /// Sequence that nothing in the open ledger uses.
    pub(crate) fn answers(
        &self,
        tx: &Asked,
        at: AtNode,
        open: u8,
        mood: Mood,
    ) -> (&'static str, AtNode) {
        let arrived = AtNode { arrived: true, public: at.public || !tx.fail_hard, ..at };
        let kept = AtNode { held: at.held || !tx.fail_hard, ..arrived };
        if at.bad {
            return ("temBAD_SIGNATURE", arrived);
        }
        if tx.malformed {
            return ("temMALFORMED", AtNode { bad: true, ..arrived });
        }
        if tx.number < self.sequence {
            return ("tefPAST_SEQ", arrived);
        }
        if self.head + 1 > tx.last {
            return ("tefMAX_LEDGER", arrived);
        }
        if tx.by_other_key && !self.authorised {
            return ("tefBAD_AUTH", kept);
        }
        if tx.number > open {
            return ("terPRE_SEQ", kept);
        }
        if at.held && tx.number < open {
            return ("tefALREADY", arrived);
        }
        if tx.number < open {
            // Another one is in the open ledger on this Sequence.
            return ("tefPAST_SEQ", arrived);
        }
        if tx.turns && !self.authorised {
            return ("temMALFORMED", kept);
        }
        match mood {
            Mood::Applies => ("tesSUCCESS", AtNode { held: true, public: true, ..arrived }),
            Mood::Queues if !tx.fail_hard => {
                ("terQUEUED", AtNode { held: true, public: true, ..arrived })
            }
            Mood::Queues | Mood::WantsMore => ("telCAN_NOT_QUEUE_FULL", kept),
        }
    }

    /// Whether the next ledger can take a transaction that the node holds.
    pub(crate) fn takes(&self, tx: &Asked, at: AtNode, sequence: u8) -> bool {
        at.held
            && !at.bad
            && !tx.malformed
            && tx.number == sequence
            && self.head < tx.last
            && (self.authorised || !(tx.by_other_key || tx.turns))
    }
}
