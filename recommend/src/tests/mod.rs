//! What the fast ways compute, computed again the slow and obvious way.

mod brute;
mod changes;
mod properties;
mod rules;
