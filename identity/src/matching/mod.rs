//! Probabilistic record matching after Fellegi and Sunter.
//!
//! [`Records`] (columns with a [`Meaning`]) are made ready once ([`Prepared`]); [`train`] learns a
//! [`Model`] from them without labels; [`predict`] compares the records that share a blocking key
//! and yields weighed pairs; [`explain`] says why.

#[cfg(test)]
mod accuracy;
mod address;
mod blocking;
mod cluster;
mod codes;
mod compare;
mod dates;
mod derive;
mod em;
mod fold;
mod index;
mod kernel;
mod model;
mod nicknames;
mod pool;
mod prepared;
mod random;
mod records;
mod rivals;
mod sample;
mod score;
mod settings;
#[cfg(test)]
mod test_people;
mod train;
mod values;
mod weights;
mod whole_names;

pub use blocking::{Key, Part, Rule};
pub use cluster::{Clustering, Clusters, cluster, components};
pub use dates::DateOrder;
pub use index::Index;
pub use model::{Comparison, LevelRow, Model, VERSION};
pub use prepared::Prepared;
pub use records::{Column, Meaning, NULL, Records};
pub use score::{Pair, Reason, Scored, explain, predict};
pub use settings::{Links, Settings};
pub use train::{Stage, train};
pub use weights::Dependence;
