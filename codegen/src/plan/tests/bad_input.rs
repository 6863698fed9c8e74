//! What is wrong with a plan is reported at its place.
