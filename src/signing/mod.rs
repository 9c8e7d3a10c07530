//! Signers: from a declaration to a key or an identity that signs, the search for statements that verify, and approvals of plans.

mod approval;
mod error;
mod files;
mod gates;
mod predicate;
mod search;
mod signers;

pub use approval::{ApprovalError, Approver, SignedApproval, approve, count_approvers};
pub use error::{PredicateError, SignerError};
pub use gates::{GateError, missing_evidence};
pub use predicate::{PublishFacts, planned_statement, signature_statement};
pub use search::{find, verifies};
pub use signers::{identity, open, planned, public_key_file, verifier};
