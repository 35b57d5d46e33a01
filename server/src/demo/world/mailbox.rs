//! Mailboxes. Each belongs to one person, unless a household shares one; all hosts end in
//! `.example` (RFC 2606), so that no letter from a demo can reach anybody.

use std::fmt::Write;

use super::World;
use super::person::Person;
use super::random::{Topic, scattered};

/// Which of somebody's mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mailbox {
    /// The one that most sources have.
    Main,
    /// One for work, or for shops.
    Other,
}

/// Hosts by frequency; a number is one of the hosts that only the person's country uses.
enum Host {
    Common(&'static str),
    OfCountry(usize),
}

/// Host, its share in sixteenths, and how many sixteenths stand before it.
const HOSTS: &[(Host, u64, u64)] = &[
    (Host::Common("gmail.example"), 5, 0),
    (Host::Common("outlook.example"), 2, 5),
    (Host::Common("hotmail.example"), 2, 7),
    (Host::Common("yahoo.example"), 2, 9),
    (Host::Common("icloud.example"), 1, 11),
    (Host::OfCountry(0), 2, 12),
    (Host::OfCountry(1), 1, 14),
    (Host::OfCountry(2), 1, 15),
];
const OTHER_HOSTS: &[&str] = &[
    "proton.example",
    "mail.example",
    "arcadia-consulting.example",
    "stadtwerke.example",
    "lycee.example",
    "hopital.example",
];

impl World {
    /// A mailbox of somebody.
    pub(crate) fn mailbox(&self, person: &Person<'_>, which: Mailbox) -> String {
        let borrowed = person.number & 1 == 1 && self.household(person.number).one_mailbox;
        match (which, borrowed) {
            (Mailbox::Main, true) => {
                let owner = self.person(person.number & !1);
                owner.map(|owner| self.own_mailbox(&owner, which)).unwrap_or_default()
            }
            _ => self.own_mailbox(person, which),
        }
    }

    fn own_mailbox(&self, person: &Person<'_>, which: Mailbox) -> String {
        let fact =
            self.fact(Topic::Mailbox, person.number * 2 + u64::from(which == Mailbox::Other));
        let ticket = scattered(person.number + 1, self.people);
        let (host, number) = match which {
            Mailbox::Main => main_host(person, ticket),
            Mailbox::Other => {
                let at = person.number as usize % OTHER_HOSTS.len();
                (
                    OTHER_HOSTS.get(at).copied().unwrap_or_default(),
                    person.number / OTHER_HOSTS.len() as u64,
                )
            }
        };
        let mut text = local_part(person, fact % 100);
        // Host and number together belong to one person, whatever the names are.
        let _ = write!(text, "{number}@{host}");
        text
    }
}

fn main_host<'w>(person: &Person<'w>, ticket: u64) -> (&'w str, u64) {
    let slot = ticket % 16;
    let found = HOSTS.iter().find(|(_, share, before)| slot < before + share);
    let Some((host, share, before)) = found else { return ("mail.example", ticket) };
    let host = match host {
        Host::Common(name) => name,
        Host::OfCountry(at) => {
            person.home.country.mail.get(*at).map_or("mail.example", String::as_str)
        }
    };
    (host, ticket / 16 * share + slot - before)
}

fn local_part(person: &Person<'_>, style: u64) -> String {
    let (given, family) = (person.given.ascii.as_str(), person.family.ascii.as_str());
    let initial = given.get(..1).unwrap_or_default();
    match style {
        0..40 => format!("{given}.{family}"),
        40..55 => format!("{given}{family}"),
        55..70 => format!("{initial}.{family}"),
        70..80 => format!("{family}.{given}"),
        80..90 => format!("{given}_{family}"),
        _ => given.to_owned(),
    }
}
