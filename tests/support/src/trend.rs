//! Whether a figure grows: the straight line through its samples.

/// How much the figure grows in each unit of time, by least squares over `(time, figure)`; `None` for fewer than two
/// times.
pub fn slope(samples: &[(f64, f64)]) -> Option<f64> {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, figure) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let spread: f64 = samples.iter().map(|sample| (sample.0 - time).powi(2)).sum();
    let together: f64 = samples.iter().map(|sample| (sample.0 - time) * (sample.1 - figure)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let line: Vec<_> = (0..10).map(f64::from).map(|time| (time, 7.0 - 3.0 * time)).collect();
        assert!((slope(&line).expect("ten times") + 3.0).abs() < 1e-9);
    }

    #[test]
    fn noise_is_no_trend() {
        let noise = [(0.0, 5.0), (1.0, -5.0), (2.0, -5.0), (3.0, 5.0)];
        assert_eq!(slope(&noise), Some(0.0));
    }

    #[test]
    fn one_time_has_no_trend() {
        assert_eq!(slope(&[]), None);
        assert_eq!(slope(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }
}
