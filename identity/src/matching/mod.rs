//! Probabilistic record matching after Fellegi and Sunter.
