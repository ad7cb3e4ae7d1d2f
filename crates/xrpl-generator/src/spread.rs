//! A whole histogram: exact differences and sums of what was measured, and its text in a record.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer as _, V2Serializer},
};
use serde::{Deserialize, Serialize, de::Error as _, ser::Error as _};

/// Significant digits kept: a quantile is right to a thousandth of itself.
const DIGITS: u8 = 3;

/// How values are spread: an HDR histogram, whole, so that those of two moments can be subtracted and
/// those of two stages added. In JSON it is the histogram's V2 encoding in base64, which every
/// implementation of HdrHistogram reads; nothing measured is an empty text.
#[derive(Clone, Default)]
pub struct Spread(Option<Box<Histogram<u64>>>);

impl PartialEq for Spread {
    /// Whether the same was counted, however much room each has.
    fn eq(&self, other: &Self) -> bool {
        let counts = |spread: &Self| -> Vec<_> {
            let recorded = spread.0.iter().flat_map(|histogram| histogram.iter_recorded());
            recorded.map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
        };
        self.len() == other.len() && counts(self) == counts(other)
    }
}

impl fmt::Debug for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not its thousands of counters.
        let quantiles = [0.0, 0.5, 0.9, 0.99, 1.0].map(|share| self.quantile(share));
        write!(f, "Spread({} values, {quantiles:?})", self.len())
    }
}

impl Spread {
    /// Of a histogram as it is.
    #[must_use]
    pub fn of(histogram: Histogram<u64>) -> Self {
        Self((!histogram.is_empty()).then(|| Box::new(histogram)))
    }

    fn histogram(&mut self) -> Option<&mut Histogram<u64>> {
        if self.0.is_none() {
            self.0 = Histogram::new(DIGITS).ok().map(Box::new);
        }
        self.0.as_deref_mut()
    }

    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts a value so many times.
    pub fn record_n(&mut self, value: u64, n: u64) {
        if let Some(histogram) = self.histogram() {
            // It grows with its values; only one that no memory holds is left out.
            let _ = histogram.record_n(value, n);
        }
    }

    /// How many values.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.as_ref().map_or(0, |histogram| histogram.len())
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value that this share of all is at most; none where nothing was measured.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(histogram.value_at_quantile(share).min(histogram.max()))
    }

    /// The largest; none where nothing was measured.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.0.as_ref().filter(|histogram| !histogram.is_empty()).map(|histogram| histogram.max())
    }

    /// The mean; none where nothing was measured.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.0.as_ref().filter(|histogram| !histogram.is_empty()).map(|histogram| histogram.mean())
    }

    /// How many values are in each of at most `most` equal steps of a logarithmic scale, with their
    /// upper bounds: what a chart draws.
    #[must_use]
    pub fn columns(&self, most: u32) -> Vec<(u64, u64)> {
        let Some(histogram) = self.0.as_ref().filter(|h| !h.is_empty()) else { return Vec::new() };
        let (low, high) = (histogram.min().max(1) as f64, histogram.max().max(1) as f64);
        let step = (high / low).powf(1.0 / f64::from(most.max(1)));
        let bound = |n: u32| match n >= most {
            true => histogram.max(),
            false => (low * step.powi(n.cast_signed())).round() as u64,
        };
        let mut columns: Vec<(u64, u64)> = (1..=most.max(1)).map(|n| (bound(n), 0)).collect();
        columns.dedup_by_key(|(bound, _)| *bound);
        for recorded in histogram.iter_recorded() {
            let value = recorded.value_iterated_to().min(histogram.max());
            let place = columns.partition_point(|(bound, _)| *bound < value);
            if let Some((_, n)) = columns.get_mut(place) {
                *n += recorded.count_at_value();
            }
        }
        columns
    }

    /// Every value that was recorded, smallest first, with how often. Values of up to three digits are
    /// exact.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let histogram = self.0.iter().flat_map(|histogram| histogram.iter_recorded());
        histogram.map(|recorded| (recorded.value_iterated_to(), recorded.count_at_value()))
    }

    /// What was counted since an earlier moment of the same histogram.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        let (Some(now), Some(then)) = (&self.0, &earlier.0) else { return self.clone() };
        // Counts of one moment and an earlier one; what was taken back meanwhile counts as nothing.
        let mut rest = Histogram::new_from(now);
        for step in now.iter_recorded() {
            let value = step.value_iterated_to();
            let n = now.count_at(value).saturating_sub(then.count_at(value));
            let _ = rest.record_n(value, n);
        }
        Self::of(rest)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => {
                let mut both = one.clone();
                // The first grows to hold the second.
                let _ = both.add(&**two);
                Self(Some(both))
            }
            (Some(_), None) => self.clone(),
            (None, _) => other.clone(),
        }
    }
}

impl Serialize for Spread {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        if let Some(histogram) = &self.0 {
            V2Serializer::new().serialize(histogram, &mut bytes).map_err(S::Error::custom)?;
        }
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| D::Error::custom(format!("no histogram: {error}")))?;
        Ok(Self::of(histogram))
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Spread {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("HdrHistogram, V2 encoding in base64; empty for nothing measured"))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Spread {}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        values.into_iter().for_each(|value| spread.record(value));
        spread
    }

    #[test]
    fn quantiles_of_what_was_measured() {
        let all = spread(1..=1_000);
        assert_eq!((all.len(), all.max()), (1_000, Some(1_000)));
        for (share, value) in [(0.5, 500), (0.9, 900), (0.99, 990), (1.0, 1_000)] {
            assert_eq!(all.quantile(share), Some(value));
        }
        assert_eq!(spread([0, 0, 7]).quantile(0.5), Some(0));
        let nothing = Spread::default();
        assert!(nothing.is_empty());
        assert_eq!((nothing.quantile(0.5), nothing.max(), nothing.mean()), (None, None, None));
    }

    #[test]
    fn a_later_moment_minus_an_earlier_one_is_what_came_between() {
        let (earlier, between) = (spread([10, 20, 20_000]), spread([20, 30, 70_000]));
        let later = earlier.plus(&between);
        assert_eq!(later.len(), 6);
        let rest = later.minus(&earlier);
        assert_eq!((rest.len(), rest.quantile(0.0)), (3, Some(20)));
        assert!(rest.max() >= Some(70_000) && rest.max() <= Some(70_070), "{:?}", rest.max());
        assert_eq!(later.minus(&later), Spread::default());
        assert_eq!(later.minus(&Spread::default()), later);
        // What was taken back in between is no negative count.
        assert_eq!(earlier.minus(&later), Spread::default());
    }

    #[test]
    fn it_survives_its_text() {
        for of in [Spread::default(), spread([0]), spread((0..5_000).map(|n| n * n))] {
            let text = serde_json::to_string(&of).unwrap();
            assert_eq!(serde_json::from_str::<Spread>(&text).unwrap(), of);
        }
        for wrong in ["\"?\"", "\"AAAA\"", "7"] {
            assert!(serde_json::from_str::<Spread>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn columns_hold_everything_once() {
        let of = spread((1..2_000).map(|n| n * 3));
        let columns = of.columns(20);
        assert!(columns.len() <= 20);
        assert_eq!(columns.iter().map(|(_, n)| n).sum::<u64>(), of.len());
        assert_eq!(columns.last().map(|(bound, _)| *bound), of.max());
        assert_eq!(spread([5, 5]).columns(10).iter().map(|(_, n)| n).sum::<u64>(), 2);
        assert_eq!(Spread::default().columns(10), []);
    }
}
