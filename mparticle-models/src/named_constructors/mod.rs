//! Constructors that set several fields: the states of an application, and the variants of a commerce event. The
//! documentation of a type shows them before `new`, because they are the most useful ones.

mod application;
mod commerce;
