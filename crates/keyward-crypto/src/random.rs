//! The operating system's random numbers.

use std::cell::RefCell;

use keyward_model::Random;
use ring::rand::SecureRandom;

/// How many bytes are fetched at once. A call of the operating system for every identifier would cost more than the
/// identifier.
const POOL: usize = 1_024;

thread_local! {
    /// Bytes that were fetched and not given out yet, from the end.
    static FETCHED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Random bytes from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

fn fetch(buffer: &mut [u8]) {
    // Without random numbers nothing that is made here would be a secret: better no process than a guessable one.
    assert!(
        ring::rand::SystemRandom::new().fill(buffer).is_ok(),
        "the operating system gives no random numbers"
    );
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > POOL {
            return fetch(buffer);
        }
        FETCHED.with_borrow_mut(|fetched| {
            if fetched.len() < buffer.len() {
                fetched.resize(POOL, 0);
                fetch(fetched);
            }
            // What is given out leaves the pool, so that nobody gets it twice.
            let rest = fetched.len() - buffer.len();
            buffer.copy_from_slice(&fetched[rest..]);
            fetched[rest..].fill(0);
            fetched.truncate(rest);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_out_twice() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            let mut bytes = [0; 10];
            SystemRandom.fill(&mut bytes);
            assert!(seen.insert(bytes));
        }
        let mut long = vec![0; 3 * POOL];
        SystemRandom.fill(&mut long);
        assert!(long.windows(32).all(|window| window != [0; 32]));
    }
}
