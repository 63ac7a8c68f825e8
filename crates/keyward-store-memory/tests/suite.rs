//! The conformance suite on the store in memory.

use std::sync::Arc;

use keyward_store_memory::MemoryStore;

async fn fresh() -> Arc<MemoryStore> {
    Arc::default()
}

keyward_store_suite::suite!(fresh);
