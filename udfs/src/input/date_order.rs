//! In which order the numbers of a date come (manual: `DateStyle`): `02/03/2024` is the second of March
//! where the day comes first.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::Result;

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day.
    Ymd,
}

impl DateOrder {
    /// The order that a value of `DateStyle` says.
    pub fn of_style(style: &str) -> Self {
        match style.rsplit(' ').next() {
            Some("DMY") => Self::Dmy,
            Some("YMD") => Self::Ymd,
            _ => Self::Mdy,
        }
    }

    /// The order of the session that a plan is for.
    pub fn of_session(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().copied().unwrap_or_default()
    }
}

impl ConfigExtension for DateOrder {
    const PREFIX: &'static str = "date_order";
}

impl ExtensionOptions for DateOrder {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(*self)
    }

    fn set(&mut self, _: &str, value: &str) -> Result<()> {
        *self = Self::of_style(value);
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
