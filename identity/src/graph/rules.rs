//! Rules: how much one identifier may connect, and how many a customer may have.

use std::collections::HashMap;

use hashbrown::HashMap as Map;

/// The limits of one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An identifier that was seen with more identifiers of any one namespace is quarantined.
    pub fan_out: Option<u32>,
    /// A customer has at most so many open identifiers of the namespace (at least one).
    pub per_customer: Option<u32>,
    /// Where limits or splits force a choice, smaller numbers are believed first.
    pub priority: u16,
}

impl Default for Limits {
    /// A fan-out of 500, no limit per customer, and the middle priority.
    ///
    /// Shared machines and family addresses stay far below 500 neighbours of one kind; a till's
    /// e-mail address or a kiosk's device id soon passes it.
    fn default() -> Self {
        Self { fan_out: Some(500), per_customer: None, priority: 100 }
    }
}

/// The limits of all namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What holds for namespaces without limits of their own.
    pub default: Limits,
    /// Limits by namespace.
    pub namespaces: HashMap<u32, Limits>,
}

/// What of the namespaces seen so far a change of rules concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// Only which identifiers are quarantined.
    FanOut,
    All,
}

/// The namespaces seen, numbered densely, with their limits at hand.
#[derive(Clone)]
pub(super) struct Spaces {
    rules: Rules,
    numbers: Map<u32, u32>,
    namespaces: Vec<u32>,
    limits: Vec<Limits>,
    limited: Vec<u32>,
}

impl Spaces {
    pub(super) fn new(rules: Rules) -> Self {
        let (numbers, namespaces, limits) = (Map::new(), Vec::new(), Vec::new());
        Self { rules, numbers, namespaces, limits, limited: Vec::new() }
    }

    /// The dense number of `namespace`, given at first sight.
    pub(super) fn number(&mut self, namespace: u32) -> u32 {
        if let Some(&number) = self.numbers.get(&namespace) {
            return number;
        }
        let number = self.namespaces.len() as u32;
        self.numbers.insert(namespace, number);
        self.namespaces.push(namespace);
        let limits = self.rules.namespaces.get(&namespace).unwrap_or(&self.rules.default);
        self.limits.push(*limits);
        if limits.per_customer.is_some() {
            self.limited.push(number);
        }
        number
    }

    /// Puts other rules in force.
    pub(super) fn set(&mut self, rules: Rules) -> Effect {
        let mut spaces = Self::new(rules);
        for &namespace in &self.namespaces {
            spaces.number(namespace);
        }
        let old = std::mem::replace(self, spaces);
        let pairs = || old.limits.iter().zip(&self.limits);
        if pairs().all(|(old, new)| old == new) {
            return Effect::Nothing;
        }
        let same = |(old, new): (&Limits, &Limits)| Limits { fan_out: new.fan_out, ..*old } == *new;
        if pairs().all(same) { Effect::FanOut } else { Effect::All }
    }

    pub(super) fn namespace(&self, space: u32) -> u32 {
        self.namespaces[space as usize]
    }

    /// The most neighbours of one namespace that an identifier may have.
    pub(super) fn fan_out(&self, space: u32) -> u32 {
        self.limits[space as usize].fan_out.unwrap_or(u32::MAX)
    }

    /// The most open identifiers of the namespace that a customer may have, if limited.
    pub(super) fn per_customer(&self, space: u32) -> Option<u32> {
        // A lone identifier cannot be parted from itself.
        self.limits[space as usize].per_customer.map(|limit| limit.max(1))
    }

    pub(super) fn priority(&self, space: u32) -> u16 {
        self.limits[space as usize].priority
    }

    /// The namespaces with a limit per customer.
    pub(super) fn limited(&self) -> &[u32] {
        &self.limited
    }
}
