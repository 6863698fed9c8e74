//! Constructors of values that consist of several fields: the states of an application, and the variants of a commerce
//! event. The documentation of a type shows them before `new`, because they are what users need.

mod application;
mod commerce;
