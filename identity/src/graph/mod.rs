//! The graph of identifiers: what was seen together, and the customers that follow.
