//! Hand-written constructors and methods. The documentation of a type shows them after the generated methods.

mod attribution;
mod consent;
mod data_plan;
mod event;
