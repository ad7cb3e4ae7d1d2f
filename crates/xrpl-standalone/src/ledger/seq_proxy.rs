//! In which order an account's transactions come.

use xrpl_protocol::{Object, fields};

/// What orders an account's transactions: a Sequence, or a Ticket that comes after all Sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeqProxy {
    /// A Sequence.
    Sequence(u32),
    /// A Ticket.
    Ticket(u32),
}

impl SeqProxy {
    /// A transaction's: its Ticket if it has one and its Sequence is 0.
    #[must_use]
    pub fn of(tx: &Object) -> Self {
        let sequence = tx.u32(fields::SEQUENCE).unwrap_or_default();
        match (sequence, tx.u32(fields::TICKET_SEQUENCE)) {
            (0, Some(ticket)) => Self::Ticket(ticket),
            (sequence, _) => Self::Sequence(sequence),
        }
    }

    /// Its number.
    #[must_use]
    pub fn value(self) -> u32 {
        match self {
            Self::Sequence(n) | Self::Ticket(n) => n,
        }
    }

    /// Whether it is a Sequence.
    #[must_use]
    pub fn is_sequence(self) -> bool {
        matches!(self, Self::Sequence(_))
    }
}
