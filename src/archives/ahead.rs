//! Reading ahead: a thread decodes a large file while another one searches what was decoded.
//!
//! The source is read by the thread that searches, since sources belong to it: it feeds the decoder pieces of what is compressed
//! whenever it waits for what is decoded. What is on the way is bounded: so many pieces, and so many buffers that go round.

use super::codec::{Codec, Streams};
use super::held::Chain;
use super::{Input, Source};
use std::cell::RefCell;
use std::io::{self, BufRead as _, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use zeroize::Zeroizing;

/// With less to come a thread is not worth its start, in bytes.
const WORTH: u64 = 2 << 20;
/// Size of the buffers for what is decoded, and how many there are.
const BUFFER: usize = 256 << 10;
const BUFFERS: usize = 3;
/// Size of the pieces of what is compressed, and how many are on the way at most.
const PIECE: usize = 64 << 10;
const PIECES: usize = 6;

/// Whether it pays: a large source, and one of files, not of other streams, so that there is one such thread for each that searches.
pub(super) fn is_worth(input: &Input<'_>) -> bool {
    let left = input.random().map(|source| source.size());
    left.is_some_and(|size| size.saturating_sub(input.position()) >= WORTH)
}

/// What the decoder says.
enum Said {
    /// It took a piece, and could take another one.
    Took,
    /// So many bytes of the buffer are filled.
    Decoded(Zeroizing<Vec<u8>>, usize),
    /// All is decoded, or what follows is damaged.
    Ended(io::Result<()>),
}

/// What the decoder did not need: what it read ahead, and the pieces that it did not take.
struct Rest {
    read: Zeroizing<Vec<u8>>,
    pieces: Receiver<Vec<u8>>,
}

/// What another thread decodes.
pub(super) struct Ahead<'i, 'b, 'scope> {
    input: &'i mut Input<'b>,
    /// Why the source could not be read.
    failure: Option<io::Error>,
    pieces: Sender<Vec<u8>>,
    said: Receiver<Said>,
    empty: Sender<Zeroizing<Vec<u8>>>,
    /// What is given next: the buffer, the place in it, and its end.
    current: (Zeroizing<Vec<u8>>, usize, usize),
    ended: bool,
    decoder: ScopedJoinHandle<'scope, Rest>,
}

impl<'i, 'b, 'scope> Ahead<'i, 'b, 'scope> {
    /// Starts to decode; gives the input back if the system has no thread left.
    pub(super) fn start<'env>(
        codec: &'scope Codec,
        input: &'i mut Input<'b>,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Result<Self, &'i mut Input<'b>> {
        let (pieces, taken) = channel();
        let (sayer, said) = channel();
        let (empty, emptied) = channel();
        let chain = Chain::of_this_thread();
        let work = move || {
            chain.join();
            decode(codec, taken, &sayer, &emptied)
        };
        let Ok(decoder) = Builder::new().spawn_scoped(scope, work) else {
            return Err(input);
        };
        for _ in 0..BUFFERS {
            // Nobody hears it only if the decoder has ended, which is told below.
            let _ = empty.send(Zeroizing::new(vec![0; BUFFER]));
        }
        let mut ahead = Self {
            input,
            failure: None,
            pieces,
            said,
            empty,
            current: (Zeroizing::new(Vec::new()), 0, 0),
            ended: false,
            decoder,
        };
        for _ in 0..PIECES {
            ahead.feed();
        }
        Ok(ahead)
    }

    /// Sends the next piece; an empty one at the end.
    fn feed(&mut self) {
        let piece = match self.input.fill_buf() {
            Ok(bytes) => bytes.get(..PIECE).unwrap_or(bytes).to_vec(),
            Err(error) => {
                self.failure = Some(error);
                Vec::new()
            }
        };
        self.input.consume(piece.len());
        let _ = self.pieces.send(piece);
    }

    /// Ends, and puts what was not needed back: the input then stands where the decoder does.
    pub(super) fn stop(self) {
        // Without anybody to say it to, the decoder ends.
        drop((self.pieces, self.said, self.empty));
        if let Ok(rest) = self.decoder.join() {
            let mut all = rest.read;
            for piece in rest.pieces.try_iter() {
                all.extend_from_slice(&piece);
            }
            self.input.unread(&all);
        }
    }
}

impl Read for Ahead<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.1 == self.current.2 && !self.ended {
            match self.said.recv() {
                Ok(Said::Took) => self.feed(),
                Ok(Said::Decoded(bytes, count)) => {
                    let used = std::mem::replace(&mut self.current, (bytes, 0, count)).0;
                    if !used.is_empty() {
                        let _ = self.empty.send(used);
                    }
                }
                Ok(Said::Ended(outcome)) => {
                    self.ended = true;
                    if let Some(failure) = self.failure.take() {
                        return Err(failure);
                    }
                    outcome?;
                }
                Err(_) => return Err(io::Error::other("the decoder ended unsaid")),
            }
        }
        let (bytes, at, end) = &mut self.current;
        let ready = bytes.get(*at..*end).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(target), Some(ready)) = (buffer.get_mut(..count), ready.get(..count)) {
            target.copy_from_slice(ready);
        }
        *at += count;
        Ok(count)
    }
}

/// Decodes until nobody listens, or all is done.
fn decode(
    codec: &Codec,
    pieces: Receiver<Vec<u8>>,
    sayer: &Sender<Said>,
    empty: &Receiver<Zeroizing<Vec<u8>>>,
) -> Rest {
    let fed = Fed {
        pieces,
        sayer: sayer.clone(),
        current: RefCell::default(),
    };
    let mut input = Input::new(&fed, Zeroizing::new(Vec::new()));
    let outcome = give(codec, &mut input, sayer, empty);
    let _ = sayer.send(Said::Ended(outcome));
    let (mut read, _) = input.into_rest();
    let (piece, at) = fed.current.take();
    read.extend_from_slice(piece.get(at..).unwrap_or_default());
    Rest {
        read,
        pieces: fed.pieces,
    }
}

fn give(
    codec: &Codec,
    input: &mut Input<'_>,
    sayer: &Sender<Said>,
    empty: &Receiver<Zeroizing<Vec<u8>>>,
) -> io::Result<()> {
    let mut stream = Streams::open(codec, input)?;
    while let Ok(mut buffer) = empty.recv() {
        let mut count = 0;
        let mut outcome = Ok(1);
        // Whole buffers, as each costs a change of threads.
        while count < buffer.len() && matches!(outcome, Ok(1..)) {
            outcome = stream.read(buffer.get_mut(count..).unwrap_or_default());
            count += outcome.as_ref().unwrap_or(&0);
        }
        let is_heard = sayer.send(Said::Decoded(buffer, count)).is_ok();
        if outcome? == 0 || !is_heard {
            break;
        }
    }
    Ok(())
}

/// What is compressed, piece by piece as it is fed.
struct Fed {
    pieces: Receiver<Vec<u8>>,
    sayer: Sender<Said>,
    /// The piece that is read, and the place in it.
    current: RefCell<(Vec<u8>, usize)>,
}

impl Source for Fed {
    fn size(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, buffer: &mut [u8], _: u64) -> io::Result<usize> {
        let mut current = self.current.borrow_mut();
        if current.0.len() == current.1 {
            // An end is told once, or is that of the one who feeds.
            *current = (self.pieces.recv().unwrap_or_default(), 0);
            let _ = self.sayer.send(Said::Took);
        }
        let (piece, at) = &mut *current;
        let ready = piece.get(*at..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(target), Some(ready)) = (buffer.get_mut(..count), ready.get(..count)) {
            target.copy_from_slice(ready);
        }
        *at += count;
        Ok(count)
    }

    fn is_random(&self) -> bool {
        false
    }
}
