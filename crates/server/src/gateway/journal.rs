//! Calls of the gateway on disk, until their records are in the store.
//!
//! A call is noted before it is forwarded and again when it has ended, each with one write to a file; so neither a
//! store that is down nor the death of the process loses it. (Nothing waits for the disk here: what a failing power
//! supply may take is the calls of the last moments, which the store had not committed either.)
//!
//! The journal is a folder of files of lines. The newest is written to; an older one is deleted when every call in it
//! is in the store.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{KeyId, UsageId, UserId, ingest::NewUsage};
use jiff::Timestamp;
use pricing::Money;
use serde::{Deserialize, Serialize};

/// Bytes after which a new file is begun.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A call that is being forwarded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// The record that it will have.
    pub(crate) id: UsageId,
    /// The account that makes it.
    pub(crate) user_id: UserId,
    /// The tracker key that it came with; not in journals of older versions.
    #[serde(default)]
    pub(crate) tracker_key_id: Option<KeyId>,
    /// When it began.
    pub(crate) at: Timestamp,
    /// The most that it can cost, where a budget asks, and until when that counts at the latest.
    pub(crate) reserved: Option<(Money, Timestamp)>,
    /// What is known of it.
    pub(crate) call: NewUsage,
}

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// The record that it will have.
    pub(crate) id: UsageId,
    /// The account that made it.
    pub(crate) user_id: UserId,
    /// The tracker key that it came with.
    #[serde(default)]
    pub(crate) tracker_key_id: Option<KeyId>,
    /// When it had ended.
    pub(crate) at: Timestamp,
    /// Whether its project keeps what was said.
    pub(crate) keeps_content: bool,
    /// What is known of it.
    pub(crate) call: NewUsage,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Begun(std::borrow::Cow<'a, Begun>),
    Ended(std::borrow::Cow<'a, Ended>),
    /// These are in the store.
    Kept(Vec<UsageId>),
}

/// What an earlier process left behind.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Calls that had ended and may not be in the store.
    pub(crate) ended: Vec<Ended>,
    /// Calls whose end nobody saw.
    pub(crate) interrupted: Vec<Begun>,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    bytes_max: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    number: u64,
    /// Bytes of each file.
    sizes: BTreeMap<u64, u64>,
    /// In which file each call that is not in the store is first noted.
    open: HashMap<UsageId, u64>,
}

impl Journal {
    /// Opens the folder, for one process, and reads what an earlier one left in it.
    pub(crate) fn open(folder: &Path, bytes_max: u64) -> io::Result<(Self, Left)> {
        fs::create_dir_all(folder)?;
        let mut numbers = numbers(folder)?;
        numbers.sort_unstable();
        let (mut found, mut sizes) = (Found::default(), BTreeMap::new());
        for &number in &numbers {
            let file = File::open(path(folder, number))?;
            sizes.insert(number, file.metadata()?.len());
            found.read(number, file)?;
        }
        let number = numbers.last().map_or(1, |last| last + 1);
        let file = create(folder, number)?;
        sizes.insert(number, 0);
        let (left, open) = found.left();
        let journal = Self {
            folder: folder.to_owned(),
            bytes_max,
            state: Mutex::new(State { file, number, sizes, open }),
        };
        journal.delete_done(&mut journal.state());
        Ok((journal, left))
    }

    /// Notes that a call is about to be forwarded.
    pub(crate) fn begin(&self, begun: &Begun) -> io::Result<()> {
        let mut state = self.state();
        if state.sizes.values().sum::<u64>() > self.bytes_max {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the gateway's journal is full"));
        }
        self.write(&mut state, &Line::Begun(std::borrow::Cow::Borrowed(begun)))?;
        let number = state.number;
        state.open.entry(begun.id).or_insert(number);
        Ok(())
    }

    /// Notes how a call ended.
    pub(crate) fn end(&self, ended: &Ended) -> io::Result<()> {
        let mut state = self.state();
        self.write(&mut state, &Line::Ended(std::borrow::Cow::Borrowed(ended)))?;
        let number = state.number;
        state.open.entry(ended.id).or_insert(number);
        Ok(())
    }

    /// Notes that these calls are in the store, or need no record.
    pub(crate) fn keep(&self, ids: Vec<UsageId>) -> io::Result<()> {
        let mut state = self.state();
        for id in &ids {
            state.open.remove(id);
        }
        self.write(&mut state, &Line::Kept(ids))?;
        self.delete_done(&mut state);
        Ok(())
    }

    /// Calls that have ended and are not in the store, as they stand on disk.
    pub(crate) fn unkept(&self) -> io::Result<Vec<Ended>> {
        let state = self.state();
        let mut found = Found::default();
        for &number in state.sizes.keys() {
            found.read(number, File::open(path(&self.folder, number))?)?;
        }
        Ok(found.left().0.ended)
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.state().sizes.values().sum()
    }

    /// One line, in one write: what a crash cuts short is at the end of a file.
    fn write(&self, state: &mut State, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        state.file.write_all(&text)?;
        let number = state.number;
        let size = state.sizes.entry(number).or_default();
        *size += text.len() as u64;
        if *size > FILE_BYTES {
            state.file = create(&self.folder, number + 1)?;
            state.number = number + 1;
            state.sizes.insert(number + 1, 0);
        }
        Ok(())
    }

    /// Deletes files that are no longer written to and in which no call is open.
    fn delete_done(&self, state: &mut State) {
        // A later file may say how a call of an earlier one ended: the oldest open call keeps all after it.
        let oldest = state.open.values().copied().min().unwrap_or(u64::MAX).min(state.number);
        let done: Vec<u64> = state.sizes.range(..oldest).map(|(number, _)| *number).collect();
        for number in done {
            match fs::remove_file(path(&self.folder, number)) {
                Ok(()) => drop(state.sizes.remove(&number)),
                Err(error) => tracing::warn!(%error, "a file of the gateway's journal cannot be deleted"),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is read from the files.
#[derive(Default)]
struct Found {
    begun: HashMap<UsageId, (u64, Begun)>,
    ended: HashMap<UsageId, (u64, Ended)>,
    kept: HashSet<UsageId>,
}

impl Found {
    fn read(&mut self, number: u64, file: File) -> io::Result<()> {
        for line in BufReader::new(file).split(b'\n') {
            // The last line of a process that was killed may be half a line.
            let Ok(line) = serde_json::from_slice::<Line<'_>>(&line?) else { continue };
            match line {
                Line::Begun(begun) => drop(self.begun.insert(begun.id, (number, begun.into_owned()))),
                Line::Ended(ended) => drop(self.ended.insert(ended.id, (number, ended.into_owned()))),
                Line::Kept(ids) => self.kept.extend(ids),
            }
        }
        Ok(())
    }

    fn left(mut self) -> (Left, HashMap<UsageId, u64>) {
        self.begun.retain(|id, _| !self.kept.contains(id));
        self.ended.retain(|id, _| !self.kept.contains(id));
        let mut open: HashMap<UsageId, u64> =
            self.ended.iter().map(|(id, (number, _))| (*id, *number)).collect();
        open.extend(self.begun.iter().map(|(id, (number, _))| (*id, *number)));
        self.begun.retain(|id, _| !self.ended.contains_key(id));
        let mut left = Left {
            ended: self.ended.into_values().map(|(_, ended)| ended).collect(),
            interrupted: self.begun.into_values().map(|(_, begun)| begun).collect(),
        };
        left.ended.sort_by_key(|ended| ended.id);
        left.interrupted.sort_by_key(|begun| begun.id);
        (left, open)
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

/// For its owner's eyes only: it may hold what was asked and answered.
fn create(folder: &Path, number: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path(folder, number))
}
