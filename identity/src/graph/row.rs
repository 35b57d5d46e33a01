//! What is known of one node, in 16 bytes.

use super::Node;

/// A node's place in the forest, its evidence and its state.
///
/// Small and in one array: a union touches few cache lines.
#[derive(Clone, Copy, Default)]
pub(super) struct Row {
    /// Towards the smallest node of the component; a root is its own parent.
    pub(super) parent: Node,
    /// Identifiers: one more than the newest place in `Store::members` that names it, or 0.
    /// Records: the first of its places.
    pub(super) head: u32,
    /// Identifiers: at least the number of neighbours. Records: the number of members.
    pub(super) count: u32,
    /// Twelve flags below the dense number of the namespace.
    tag: u32,
}

impl Row {
    pub(super) const IDENTIFIER: u32 = 1;
    pub(super) const RECORD: u32 = 1 << 1;
    pub(super) const BLOCKED: u32 = 1 << 2;
    pub(super) const QUARANTINED: u32 = 1 << 3;
    /// A record that is a customer by itself.
    pub(super) const STANDALONE: u32 = 1 << 4;
    /// An end of a link.
    pub(super) const LINKED: u32 = 1 << 5;
    /// An end of a split.
    pub(super) const SEVERED: u32 = 1 << 6;
    /// Its neighbours are counted exactly.
    pub(super) const HEAVY: u32 = 1 << 7;

    // Of the whole component, kept at its root:
    /// It has an open identifier or a standalone record, and so is a customer.
    pub(super) const ANCHORED: u32 = 1 << 8;
    /// It has an identifier of a namespace with a limit per customer.
    pub(super) const LIMITED: u32 = 1 << 9;
    /// It has an end of a split.
    pub(super) const PARTED: u32 = 1 << 10;
    /// It breaks a limit or holds both ends of a split.
    pub(super) const CONTESTED: u32 = 1 << 11;

    pub(super) const COMPONENT: u32 =
        Self::ANCHORED | Self::LIMITED | Self::PARTED | Self::CONTESTED;

    const SPACE_SHIFT: u32 = 12;

    pub(super) fn is(self, flag: u32) -> bool {
        self.tag & flag != 0
    }

    pub(super) fn set(&mut self, flags: u32) {
        self.tag |= flags;
    }

    pub(super) fn clear(&mut self, flags: u32) {
        self.tag &= !flags;
    }

    /// The component flags of a root.
    pub(super) fn component(self) -> u32 {
        self.tag & Self::COMPONENT
    }

    pub(super) fn is_known(self) -> bool {
        self.is(Self::IDENTIFIER | Self::RECORD)
    }

    /// Whether it takes part in components: records, and identifiers that are not closed.
    pub(super) fn is_active(self) -> bool {
        self.is_known() && !self.is(Self::BLOCKED | Self::QUARANTINED)
    }

    pub(super) fn space(self) -> u32 {
        self.tag >> Self::SPACE_SHIFT
    }

    pub(super) fn set_space(&mut self, space: u32) {
        self.tag = self.tag & ((1 << Self::SPACE_SHIFT) - 1) | space << Self::SPACE_SHIFT;
    }
}
