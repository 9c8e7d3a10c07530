//! The plan: what is to be changed, and why. Serialized, it is the saved plan.
