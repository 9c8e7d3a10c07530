//! Signers: from a declaration to a key or an identity that signs, the search for statements that verify, and approvals of plans and gates.

mod approval;
mod error;
mod files;
mod gates;
mod predicate;
mod promotion;
mod search;
mod signers;
mod vulnerabilities;

pub use approval::{ApprovalError, Approver, SignedApproval, approve, count_approvers};
pub use error::{PredicateError, SignerError};
pub use gates::{GateError, GatedImage, Judgement, judge};
pub use predicate::{PublishFacts, SBOMS, planned_statement, signature_statement};
pub use promotion::{PROMOTION, records_gate};
pub use search::{find, verifies};
pub use signers::{identity, open, planned, public_key_file, verifier};
