//! A file system in memory that distinguishes what is durable from what is not, and that can fail.

use super::super::files::Files;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// The number of bytes of a write that are lost or kept together.
const SECTOR: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Open,
    Read,
    Write,
    Sync,
    SyncFolder,
    Rename,
    Remove,
}

/// Decides whether a call fails. Receives the number of the call.
pub(super) type Fault = Box<dyn FnMut(u64, Operation, &Path) -> Option<ErrorKind> + Send>;
/// Receives the state before each call that changes it.
pub(super) type Observer = Box<dyn FnMut(Image) + Send>;

#[derive(Clone, Default)]
pub(super) struct TestDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    image: Image,
    calls: u64,
    fault: Option<Fault>,
    observer: Option<Observer>,
    /// The maximum number of bytes of all files.
    capacity: Option<usize>,
    locked: Vec<usize>,
}

/// The content of the disk.
#[derive(Clone, Default)]
pub(super) struct Image {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Default)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    writes: Vec<(usize, Vec<u8>)>,
}

/// A change of names.
#[derive(Clone)]
enum Change {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Create(path, inode) => _ = names.insert(path.clone(), *inode),
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove(path) => _ = names.remove(path),
        }
    }
}

fn apply(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    content.resize(content.len().max(end), 0);
    content[offset..end].copy_from_slice(bytes);
}

impl Image {
    /// Returns the content after a loss of power: any part of the writes that were not synced is kept, in any order.
    pub(super) fn lose_power(mut self, rng: &mut fastrand::Rng) -> Self {
        // Often all or no parts are kept, and each part by chance otherwise.
        let chance = [0.0, 0.5, 0.9, 1.0][rng.usize(..4)];
        for change in std::mem::take(&mut self.unsynced) {
            if rng.f64() < chance {
                change.apply(&mut self.durable_names);
            }
        }
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            for (offset, bytes) in std::mem::take(&mut inode.writes) {
                inode.keep_some(offset, &bytes, chance, rng);
            }
            inode.content = inode.durable.clone();
        }
        self
    }

    /// Returns the content of a file.
    pub(super) fn content(&self, path: &Path) -> &[u8] {
        &self.inodes[self.names[path]].content
    }

    /// Damages a file.
    pub(super) fn edit(&mut self, path: &Path, edit: impl Fn(&mut Vec<u8>)) {
        let inode = &mut self.inodes[self.names[path]];
        edit(&mut inode.content);
        inode.durable.clone_from(&inode.content);
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.names.keys().cloned().collect()
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.names.remove(path);
    }

    pub(super) fn total_length(&self) -> usize {
        self.names.values().map(|inode| self.inodes[*inode].content.len()).sum()
    }
}

impl Inode {
    fn keep_some(&mut self, offset: usize, bytes: &[u8], chance: f64, rng: &mut fastrand::Rng) {
        for (index, sector) in bytes.chunks(SECTOR).enumerate() {
            if rng.f64() < chance {
                apply(&mut self.durable, offset + index * SECTOR, sector);
            }
        }
    }
}

impl TestDisk {
    pub(super) fn of(image: Image) -> Self {
        let disk = Self::default();
        disk.state().image = image;
        disk
    }

    pub(super) fn image(&self) -> Image {
        self.state().image.clone()
    }

    pub(super) fn set_fault(
        &self,
        fault: impl FnMut(u64, Operation, &Path) -> Option<ErrorKind> + Send + 'static,
    ) {
        self.state().fault = Some(Box::new(fault));
    }

    pub(super) fn remove_fault(&self) {
        self.state().fault = None;
    }

    pub(super) fn observe(&self, observer: impl FnMut(Image) + Send + 'static) {
        self.state().observer = Some(Box::new(observer));
    }

    pub(super) fn set_capacity(&self, capacity: Option<usize>) {
        self.state().capacity = capacity;
    }

    pub(super) fn calls(&self) -> u64 {
        self.state().calls
    }

    pub(super) fn is_locked(&self) -> bool {
        !self.state().locked.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn call(&self, operation: Operation, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        let calls = state.calls;
        if operation != Operation::Read && state.observer.is_some() {
            let image = state.image.clone();
            if let Some(observer) = &mut state.observer {
                observer(image);
            }
        }
        if let Some(kind) = state.fault.as_mut().and_then(|fault| fault(calls, operation, path)) {
            state.fail(operation);
            return Err(kind.into());
        }
        Ok(state)
    }
}

impl State {
    /// Handles a failure. A failed sync drops the data that it should have written, and a later sync does not write it.
    fn fail(&mut self, operation: Operation) {
        if operation == Operation::Sync {
            self.image.inodes.iter_mut().for_each(|inode| inode.writes.clear());
        }
    }
}

impl Files for TestDisk {
    type File = usize;

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let names = state.image.names.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn open(&self, path: &Path) -> io::Result<usize> {
        let mut state = self.call(Operation::Open, path)?;
        let image = &mut state.image;
        if let Some(inode) = image.names.get(path) {
            return Ok(*inode);
        }
        image.inodes.push(Inode::default());
        let change = Change::Create(path.to_owned(), image.inodes.len() - 1);
        change.apply(&mut image.names);
        image.unsynced.push(change);
        Ok(image.inodes.len() - 1)
    }

    fn len(&self, file: &usize) -> io::Result<u64> {
        Ok(self.state().image.inodes[*file].content.len() as u64)
    }

    fn read_at(&self, file: &usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.call(Operation::Read, Path::new(""))?;
        let offset = usize::try_from(offset).unwrap();
        let bytes = state.image.inodes[*file].content.get(offset..offset + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, file: &usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let state = self.call(Operation::Write, Path::new(""));
        let (mut state, bytes, result) = match state {
            Ok(state) => (state, bytes, Ok(())),
            // The first half is written.
            Err(error) => (self.state(), &bytes[..bytes.len() / 2], Err(error)),
        };
        let length = state.image.inodes[*file].content.len();
        let growth = (offset + bytes.len()).saturating_sub(length);
        if state.capacity.is_some_and(|capacity| state.image.total_length() + growth > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        let inode = &mut state.image.inodes[*file];
        apply(&mut inode.content, offset, bytes);
        inode.writes.push((offset, bytes.to_vec()));
        result
    }

    fn sync(&self, file: &usize) -> io::Result<()> {
        let mut state = self.call(Operation::Sync, Path::new(""))?;
        let inode = &mut state.image.inodes[*file];
        for (offset, bytes) in std::mem::take(&mut inode.writes) {
            apply(&mut inode.durable, offset, &bytes);
        }
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.call(Operation::SyncFolder, folder)?;
        state.image.durable_names = state.image.names.clone();
        state.image.unsynced.clear();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.call(Operation::Rename, from)?;
        if !state.image.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        let change = Change::Rename(from.to_owned(), to.to_owned());
        change.apply(&mut state.image.names);
        state.image.unsynced.push(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call(Operation::Remove, path)?;
        let change = Change::Remove(path.to_owned());
        change.apply(&mut state.image.names);
        state.image.unsynced.push(change);
        Ok(())
    }

    fn is_named(&self, path: &Path, file: &usize) -> bool {
        self.state().image.names.get(path) == Some(file)
    }

    fn try_lock(&self, file: &usize) -> io::Result<bool> {
        let mut state = self.state();
        let is_free = !state.locked.contains(file);
        if is_free {
            state.locked.push(*file);
        }
        Ok(is_free)
    }

    fn unlock(&self, file: &usize) -> io::Result<()> {
        self.state().locked.retain(|locked| locked != file);
        Ok(())
    }
}
