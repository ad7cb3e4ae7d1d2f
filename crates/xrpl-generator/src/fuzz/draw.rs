//! Transactions of any type, drawn from its format.

use xrpl_protocol::{
    AccountId, Definitions, Field, Object, Sequence, Value, fields,
    formats::{FormatField, Presence, inner_format},
    object::FieldType,
    transaction::Slot,
};

use crate::{
    fees::FeeClass,
    plan::{Place, Plan, Width},
    planner::Planner,
};

/// Fields that whoever signs puts in.
const OF_SIGNING: &[Field] = &[
    fields::TRANSACTION_TYPE,
    fields::FLAGS,
    fields::ACCOUNT,
    fields::SEQUENCE,
    fields::LAST_LEDGER_SEQUENCE,
    fields::FEE,
    fields::SIGNING_PUB_KEY,
    fields::TICKET_SEQUENCE,
    fields::TXN_SIGNATURE,
    fields::SIGNERS,
    fields::NETWORK_ID,
    fields::SOURCE_TAG,
];

/// What ends an object and an array, which definitions list among the fields.
const ENDS: &[Field] = &[Field::new(14, 1), Field::new(15, 1)];

/// On what is within a Batch.
const TF_INNER_BATCH: u32 = 0x4000_0000;

/// Types that move their account's Sequence by more than one, or end it.
const WIDE: &[&str] = &["TicketCreate", "Batch", "AccountDelete"];

/// The most drops that the binary form of an amount holds.
pub(super) const MOST_DROPS: i64 = (1 << 61) - 1;

/// What a drawing sees.
pub(crate) struct Draw<'a, 'w> {
    /// Accounts and objects, and the random numbers.
    pub(crate) planner: &'a mut Planner<'w>,
    /// Formats, flags and fields.
    pub(crate) definitions: &'a Definitions,
    /// How many percent of the values are as strange as they can be.
    pub(super) wild: u64,
}

impl<'a, 'w> Draw<'a, 'w> {
    /// One whose values make sense, as far as their names tell.
    pub(crate) fn sober(planner: &'a mut Planner<'w>, definitions: &'a Definitions) -> Self {
        Self { planner, definitions, wild: 0 }
    }

    /// One of any temper.
    pub(crate) fn of_any_temper(
        planner: &'a mut Planner<'w>,
        definitions: &'a Definitions,
    ) -> Self {
        let wild = match planner.below(10) {
            0..6 => 0,
            6..9 => 20,
            _ => 70,
        };
        Self { planner, definitions, wild }
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.planner.below(100) < percent
    }

    /// A plan of a type, all of it at random.
    pub(crate) fn plan(&mut self, name: &str, code: u16) -> Plan {
        let object = self.transaction(name, code, 0);
        let wide = WIDE.contains(&name) || Definitions::builtin().transaction_type(name).is_none();
        Plan {
            fee: self.fee(),
            place: self.place(),
            width: if wide { Width::AtMost(1) } else { Width::Exactly(1) },
            ..Plan::given(object).flagged(self.flags(name))
        }
    }

    /// `TransactionType` and what its format asks for.
    pub(super) fn transaction(&mut self, name: &str, code: u16, depth: usize) -> Object {
        let definitions = self.definitions;
        let mut object = Object::new().with(fields::TRANSACTION_TYPE, code);
        let optional = [5, 25, 60][self.planner.below(3) as usize];
        for of in definitions.transaction_format(name).unwrap_or_default() {
            self.fill(&mut object, of, optional, depth);
        }
        for of in definitions.common_format() {
            if of.field.is_none_or(|field| !OF_SIGNING.contains(&field)) {
                self.fill(&mut object, of, 2, depth);
            }
        }
        if self.chance(2) {
            // What must be there is not, or something is there that does not belong there.
            let names: Vec<Field> = object.iter().map(|(field, _)| field).skip(1).collect();
            match self.planner.pick(&names) {
                Some(field) if self.planner.one_in(2) => drop(object.remove(*field)),
                _ => self.add_any(&mut object, depth),
            }
        }
        object
    }

    fn fill(&mut self, object: &mut Object, of: &FormatField, optional: u64, depth: usize) {
        let FormatField { name, field: Some(field), presence } = of else { return };
        if *presence == Presence::Required || self.chance(optional) {
            let value = self.value(name, *field, depth);
            object.set(*field, value);
        }
    }

    fn add_any(&mut self, object: &mut Object, depth: usize) {
        let definitions = self.definitions;
        let mut all: Vec<(&str, Field)> = definitions
            .fields()
            .filter(|(_, field)| !ENDS.contains(field) && !OF_SIGNING.contains(field))
            .collect();
        // A map's order is nobody's.
        all.sort_unstable();
        if let Some((name, field)) = self.planner.pick(&all) {
            let value = self.value(name, *field, depth);
            object.set(*field, value);
        }
    }

    fn flags(&mut self, name: &str) -> u32 {
        // What only stands within a Batch is refused outside it before anything else is looked at.
        let flags = self.definitions.transaction_flags(name).map(|(_, bits)| bits);
        let mut own: Vec<u32> = flags.filter(|bits| *bits != TF_INNER_BATCH).collect();
        own.sort_unstable();
        match self.planner.below(100) {
            0..50 => 0,
            50..90 => {
                let many = 1 + self.planner.below(2);
                (0..many).fold(0, |all, _| all | self.planner.pick(&own).copied().unwrap_or(0))
            }
            90..96 => 1 << self.planner.below(32),
            _ => self.planner.below(1 << 32) as u32,
        }
    }

    fn fee(&mut self) -> FeeClass {
        if !self.chance(5) {
            return FeeClass::Ordinary;
        }
        let base = self.planner.fees.figures().base;
        let strange = [0, 1, base.saturating_sub(1), base + 1, 1_000_000, 100_000_000_000_000_001];
        let most = [MOST_DROPS.unsigned_abs()];
        let all = [&strange[..], &most].concat();
        FeeClass::Exactly(self.planner.pick(&all).copied().unwrap_or(0))
    }

    fn place(&mut self) -> Place {
        let next = self.planner.me().lane.next().0;
        let tickets = self.planner.me().lane.free_tickets() > 0;
        match self.planner.below(100) {
            0..20 if tickets => Place::Ticket,
            20 => Place::Exactly(Slot::Sequence(Sequence(next.saturating_sub(1)))),
            21 => Place::Exactly(Slot::Sequence(Sequence(next.saturating_add(1)))),
            22 => Place::Exactly(Slot::Sequence(Sequence(u32::MAX))),
            23 => {
                let ticket = self.planner.below(u64::from(next) + 10) as u32;
                Place::Exactly(Slot::Ticket(Sequence(ticket)))
            }
            _ => Place::Sequence,
        }
    }

    /// An account that may be the other side: mostly one of the band's own.
    pub(super) fn someone(&mut self) -> AccountId {
        let accounts = &self.planner.world.accounts;
        match self.planner.below(100) {
            0..8 => self.one_of(accounts.gateways()),
            8..10 => self.one_of(accounts.users()),
            10..16 => self.planner.me().id,
            16..20 => self.planner.nobody(),
            _ => self.one_of(accounts.fuzzers()),
        }
    }

    fn one_of(&mut self, among: &[crate::accounts::Index]) -> AccountId {
        match self.planner.pick(among) {
            Some(index) => self.planner.id(*index),
            None => self.planner.me().id,
        }
    }

    /// An object inside another one.
    pub(super) fn inner(&mut self, name: Field, depth: usize) -> Object {
        let definitions = self.definitions;
        if name == fields::RAW_TRANSACTION {
            return self.raw_transaction(depth);
        }
        let mut object = Object::new();
        let named = |field: Field| definitions.name(field).unwrap_or_default();
        match inner_format(name) {
            Some(format) => {
                for (field, presence) in format {
                    if *presence == Presence::Required || self.chance(50) {
                        let value = self.value(named(*field), *field, depth);
                        object.set(*field, value);
                    }
                }
            }
            None if name == fields::MEMO => {
                for field in [fields::MEMO_TYPE, fields::MEMO_DATA, fields::MEMO_FORMAT] {
                    if self.chance(60) {
                        let value = self.value(named(field), field, depth);
                        object.set(field, value);
                    }
                }
            }
            // No node reports what it must have.
            None => {
                for _ in 0..self.planner.below(3) {
                    self.add_any(&mut object, depth);
                }
            }
        }
        object
    }

    /// One within a Batch: without fee and signature, on a Sequence that may be right.
    fn raw_transaction(&mut self, depth: usize) -> Object {
        let definitions = self.definitions;
        let mut types: Vec<(&str, u16)> = definitions
            .transaction_types()
            .filter_map(|(name, code)| Some((name, u16::try_from(code).ok()?)))
            .collect();
        types.sort_unstable();
        let (name, code) = self.planner.pick(&types).copied().unwrap_or_default();
        let me = self.planner.me();
        let account = match name {
            // The binary form has none.
            "UNLModify" => AccountId::ZERO,
            _ if self.chance(70) => me.id,
            _ => self.someone(),
        };
        let next = me.lane.next().0.saturating_add(1 + self.planner.below(3) as u32);
        let flags = self.flags(name) | TF_INNER_BATCH;
        let mut object = self.transaction(name, code, depth);
        object.set(fields::ACCOUNT, Value::Account(account));
        object.set(fields::SEQUENCE, Value::UInt32(next));
        object.set(fields::FLAGS, Value::UInt32(flags));
        object.set(fields::FEE, Value::Amount(xrpl_protocol::Amount::Xrp(0)));
        object.set(fields::SIGNING_PUB_KEY, Value::Blob(Vec::new()));
        object
    }

    /// The object that stands in an array: the one whose name the array's has in the singular.
    pub(super) fn element_of(&mut self, array: &str) -> Option<Field> {
        let singular = array.replace("ies", "y");
        let is_object =
            |field: Field| field.field_type() == FieldType::Object && !ENDS.contains(&field);
        let mut objects: Vec<(usize, &str, Field)> = self
            .definitions
            .fields()
            .filter(|(_, field)| is_object(*field))
            .map(|(name, field)| (name.len(), name, field))
            .collect();
        objects.sort_unstable();
        let named = objects.iter().rev().find(|(_, name, _)| singular.contains(*name));
        match named {
            Some((_, _, field)) if !self.chance(self.wild / 10) => Some(*field),
            _ => self.planner.pick(&objects).map(|(_, _, field)| *field),
        }
    }
}

#[cfg(test)]
mod tests;
