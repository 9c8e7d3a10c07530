//! Folders of digests.
