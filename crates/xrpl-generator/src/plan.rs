//! A plan: everything about a transaction but its slot, its fee in drops and its signature. Types
//! make plans; modifiers and mutations turn one into another.

use smallvec::SmallVec;
use xrpl_protocol::{
    Amount, Definitions, Field, Object, Value, fields,
    transaction::{Direct, Payment, Slot},
};

use crate::{accounts::Index, fees::FeeClass, objects::Kind, world::Holds};

/// What a transaction says beside what all have.
#[derive(Clone, Debug)]
pub enum Body {
    /// A Payment without anything unusual: written straight into its binary form.
    Payment(Payment),
    /// `TransactionType` and its own fields.
    Fields(Object),
    /// A Batch: what it holds gets its Sequences when it is signed.
    Batch(Vec<Leg>),
}

/// One transaction within a Batch. It uses a Sequence of its own account.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Whose.
    pub account: Index,
    /// `TransactionType` and its own fields.
    pub body: Object,
}

/// Who signs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// The sender's own key.
    #[default]
    Own,
    /// The sender's regular key.
    Regular,
    /// These accounts, which the sender's signer list names.
    Multi(SmallVec<[Index; 3]>),
    /// An account that may send this type for the sender, and pays its fee.
    Delegate(Index),
    /// Another account's key, wrongly.
    Stranger(Index),
}

/// On what it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The account's next Sequence.
    #[default]
    Sequence,
    /// One of its Tickets.
    Ticket,
    /// The Ticket of this number, which its lane keeps for it.
    KeptTicket(u32),
    /// Exactly this one, which is none of the lane's.
    Exactly(Slot),
}

/// By how much it moves the account's Sequence when it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// By exactly this.
    Exactly(u32),
    /// By this at most: how much, only the ledger says (a Batch).
    AtMost(u32),
}

impl Width {
    /// The most.
    #[must_use]
    pub fn most(self) -> u32 {
        match self {
            Self::Exactly(n) | Self::AtMost(n) => n,
        }
    }
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it says.
    pub body: Body,
    /// Its flags.
    pub flags: u32,
    /// Which fee it pays.
    pub fee: FeeClass,
    /// On what it goes.
    pub place: Place,
    /// How far it moves the Sequence.
    pub width: Width,
    /// Who signs it.
    pub authorization: Authorization,
    /// What it may take; its fee is put in when it is signed.
    pub holds: Holds,
    /// Whether its metadata say more than that its fee and XRP moved.
    pub learns: bool,
    /// What of it the coverage counts.
    pub variant: Option<&'static str>,
}

impl Plan {
    fn of(body: Body) -> Self {
        Self {
            body,
            flags: 0,
            fee: FeeClass::Ordinary,
            place: Place::default(),
            width: Width::Exactly(1),
            authorization: Authorization::default(),
            holds: Holds::default(),
            learns: true,
            variant: None,
        }
    }

    /// One of a type, without fields of its own.
    #[must_use]
    pub fn new(transaction_type: &str) -> Self {
        let code = Definitions::builtin().transaction_type(transaction_type);
        debug_assert!(code.is_some(), "{transaction_type}");
        let body = Object::new().with(fields::TRANSACTION_TYPE, code.unwrap_or(u16::MAX));
        Self::of(Body::Fields(body))
    }

    /// Given fields.
    #[must_use]
    pub fn given(body: Object) -> Self {
        Self::of(Body::Fields(body))
    }

    /// A Payment without anything unusual.
    #[must_use]
    pub fn payment(body: Payment) -> Self {
        Self::of(Body::Payment(body))
    }

    /// A Batch.
    #[must_use]
    pub fn batch(mode: u32, legs: Vec<Leg>) -> Self {
        Self { flags: mode, ..Self::of(Body::Batch(legs)) }
    }

    /// The ledger's no-op: fills a Sequence.
    #[must_use]
    pub fn no_op() -> Self {
        Self { learns: false, ..Self::new("AccountSet") }
    }

    /// Its fields; a Payment is taken from the fast path for that.
    #[must_use]
    pub fn fields(&mut self) -> &mut Object {
        if let Body::Payment(payment) = &self.body {
            self.body = Body::Fields(payment_fields(payment));
        } else if let Body::Batch(_) = &self.body {
            // A Batch has no fields of its own but what it holds.
            let code = Definitions::builtin().transaction_type("Batch").unwrap_or(u16::MAX);
            self.body = Body::Fields(Object::new().with(fields::TRANSACTION_TYPE, code));
        }
        match &mut self.body {
            Body::Fields(object) => object,
            Body::Payment(_) | Body::Batch(_) => unreachable!("replaced above"),
        }
    }

    /// With a field.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.fields().set(field, value.into());
        self
    }

    /// With a field, if there is a value for it.
    #[must_use]
    pub fn with_some(self, field: Field, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// Without a field.
    #[must_use]
    pub fn without(mut self, field: Field) -> Self {
        self.fields().remove(field);
        self
    }

    /// With these flags.
    #[must_use]
    pub fn flagged(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    /// It may add so many objects to its sender.
    #[must_use]
    pub fn owning(mut self, objects: u32) -> Self {
        self.holds.owners += objects;
        self
    }

    /// It alone uses this.
    #[must_use]
    pub fn holding(mut self, id: xrpl_protocol::Hash256) -> Self {
        self.holds.objects.push(id);
        self
    }

    /// It may take so many drops of its sender.
    #[must_use]
    pub fn spending(mut self, drops: u64) -> Self {
        self.holds.xrp += drops;
        self
    }

    /// It is counted apart from others of its type.
    #[must_use]
    pub fn variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }
}

fn payment_fields(payment: &Payment) -> Object {
    let mut object = Object::new()
        .with(fields::TRANSACTION_TYPE, Payment::TYPE)
        .with(fields::DESTINATION, payment.destination)
        .with(fields::AMOUNT, payment.amount);
    if let Some(most) = payment.send_max {
        object.set(fields::SEND_MAX, Value::Amount(most));
    }
    if let Some(tag) = payment.destination_tag {
        object.set(fields::DESTINATION_TAG, Value::UInt32(tag));
    }
    object
}

/// An amount of XRP.
#[must_use]
pub fn drops(drops: u64) -> Amount {
    Amount::Xrp(i64::try_from(drops).unwrap_or(i64::MAX))
}

/// Why a type cannot be planned now, and what would allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// One of these objects must be there, and nothing in flight use it.
    Object(Kind),
    /// This type must have been sent before: it is planned in the place of the one that waits.
    First(&'static str),
    /// A ledger must close that late, seconds since 2000-01-01 00:00 UTC.
    CloseTime(u32),
    /// The ledger must be that far.
    Ledger(u32),
    /// Another transaction of the account must come to its end first.
    InFlight,
    /// More XRP must come to the account.
    Funds,
    /// What else must be otherwise; it may change.
    Until(&'static str),
    /// This account never can.
    Never(&'static str),
}

impl Wait {
    /// In words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Object(kind) => kind.name(),
            Self::First(name) | Self::Until(name) | Self::Never(name) => name,
            Self::CloseTime(_) => "a time that has not come",
            Self::Ledger(_) => "a ledger that has not come",
            Self::InFlight => "the account's transactions in flight",
            Self::Funds => "too little XRP above the reserve",
        }
    }
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(kind) => write!(f, "no {} that it could use", kind.name()),
            Self::First(name) => write!(f, "{name} must come first"),
            Self::CloseTime(time) => write!(f, "no ledger has closed at {time} or later"),
            Self::Ledger(index) => write!(f, "ledger {index} has not come"),
            other => f.write_str(other.reason()),
        }
    }
}
