//! Constructors and methods that are written by hand, because no schema describes them. The documentation of a type
//! shows them after the generated methods.

mod attribution;
mod consent;
mod data_plan;
mod event;
