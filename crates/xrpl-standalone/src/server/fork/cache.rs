//! What was read of an origin, on disk: one file a ledger, to which is appended.
//!
//! A record is its length in four bytes, four bytes of the SHA-512Half of its body, and the body: a
//! kind, an id, and what belongs to it. A file that ends in the middle of a record, or has one that
//! is damaged, is taken up to there and goes on from there.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use xrpl_protocol::{Definitions, Hash256, Object, hash::sha512_half};

use crate::ledger::{Entry, origin::Origin};

const MAGIC: &[u8; 8] = b"XRPLFRK1";

/// Something that was learnt.
#[derive(Clone, Debug)]
pub(super) enum Learnt {
    Entry(Hash256, Option<Entry>),
    After(Hash256, Vec<(Hash256, Entry)>, bool),
}

impl Learnt {
    pub(super) fn teach(self, origin: &Origin) {
        match self {
            Self::Entry(key, entry) => origin.learn_entry(key, entry),
            Self::After(key, entries, all) => origin.learn_after(key, entries, all),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let put = |body: &mut Vec<u8>, blob: &[u8]| {
            body.extend_from_slice(&u32::try_from(blob.len()).unwrap_or(u32::MAX).to_be_bytes());
            body.extend_from_slice(blob);
        };
        match self {
            Self::Entry(key, entry) => {
                body.push(0);
                body.extend_from_slice(&key.0);
                put(&mut body, &entry.as_ref().map(|e| e.encode()).unwrap_or_default());
            }
            Self::After(key, entries, all) => {
                body.push(1 + u8::from(*all));
                body.extend_from_slice(&key.0);
                for (key, entry) in entries {
                    body.extend_from_slice(&key.0);
                    put(&mut body, &entry.encode());
                }
            }
        }
        body
    }

    fn decode(body: &[u8]) -> Option<Self> {
        fn id(bytes: &mut &[u8]) -> Option<Hash256> {
            let (id, rest) = bytes.split_first_chunk::<32>()?;
            *bytes = rest;
            Some(Hash256(*id))
        }
        fn entry(bytes: &mut &[u8]) -> Option<Option<Entry>> {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let (blob, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            *bytes = rest;
            if blob.is_empty() {
                return Some(None);
            }
            Object::decode(blob, Definitions::builtin()).ok().map(|entry| Some(Arc::new(entry)))
        }
        let (kind, mut rest) = body.split_first()?;
        let key = id(&mut rest)?;
        match kind {
            0 => Some(Self::Entry(key, entry(&mut rest)?)),
            1 | 2 => {
                let mut entries = Vec::new();
                while !rest.is_empty() {
                    entries.push((id(&mut rest)?, entry(&mut rest)??));
                }
                Some(Self::After(key, entries, *kind == 2))
            }
            _ => None,
        }
    }
}

/// The file of a ledger.
#[derive(Debug)]
pub(super) struct Cache(Mutex<File>);

impl Cache {
    /// Opens or begins a ledger's file, and teaches what is in it.
    pub(super) fn open(folder: &Path, origin: &Origin) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.fork", origin.header().hash));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut whole = 0;
        if let Some(mut rest) = bytes.strip_prefix(MAGIC) {
            whole = MAGIC.len();
            while let Some((body, after)) = record(rest) {
                let Some(learnt) = Learnt::decode(body) else { break };
                learnt.teach(origin);
                whole += rest.len() - after.len();
                rest = after;
            }
        }
        let file = File::options().create(true).append(true).open(&path)?;
        file.set_len(whole as u64)?;
        let this = Self(Mutex::new(file));
        if whole == 0 {
            this.0.lock().write_all(MAGIC)?;
        }
        Ok(this)
    }

    pub(super) fn add(&self, learnt: &[Learnt]) -> io::Result<()> {
        let mut out = Vec::new();
        for learnt in learnt {
            let body = learnt.encode();
            let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&sha512_half(&[&body]).0[..4]);
            out.extend_from_slice(&body);
        }
        self.0.lock().write_all(&out)
    }
}

/// The next record's body, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (check, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    (sha512_half(&[body]).0[..4] == *check).then_some((body, rest))
}
