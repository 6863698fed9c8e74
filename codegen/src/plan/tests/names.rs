//! Names depend on what a plan contains, and on nothing else.
