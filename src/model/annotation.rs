//! Annotation keys of the OCI image specification that this project reads or writes.

pub use oci_distribution::annotations::{
    ORG_OPENCONTAINERS_IMAGE_CREATED as CREATED, ORG_OPENCONTAINERS_IMAGE_REF_NAME as REF_NAME,
    ORG_OPENCONTAINERS_IMAGE_REVISION as REVISION, ORG_OPENCONTAINERS_IMAGE_SOURCE as SOURCE,
    ORG_OPENCONTAINERS_IMAGE_VERSION as VERSION,
};
