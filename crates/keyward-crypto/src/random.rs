//! The operating system's random numbers.

use keyward_model::Random;
use ring::rand::SecureRandom;

/// Random bytes from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Without random numbers nothing that is made here would be a secret: better no process than a guessable one.
        assert!(
            ring::rand::SystemRandom::new().fill(buffer).is_ok(),
            "the operating system gives no random numbers"
        );
    }
}
