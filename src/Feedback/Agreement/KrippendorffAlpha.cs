namespace Stoa.Feedback.Agreement;

/// <summary>How far two values are from each other.</summary>
internal enum Measurement
{
    /// <summary>The same or not.</summary>
    Nominal,

    /// <summary>The square of the difference.</summary>
    Interval,
}

/// <summary>
/// Krippendorff's α = 1 − D<sub>o</sub> / D<sub>e</sub> from the matrix of coincidences (K. Krippendorff, "Computing Krippendorff's
/// Alpha-Reliability", University of Pennsylvania, 2011): 1 is full agreement, 0 is chance.
/// </summary>
internal static class KrippendorffAlpha
{
    /// <param name="units">What was judged, each with the values that its judges gave; fewer than two say nothing.</param>
    /// <returns>Null when nothing can be compared: no unit with two values, or all values of all units the same.</returns>
    public static double? Of(IEnumerable<IReadOnlyList<double>> units, Measurement measurement)
    {
        var pairable = units.Where(unit => unit.Count >= 2).ToList();
        var totals = new Dictionary<double, long>();
        var observed = 0.0;
        foreach (var unit in pairable)
        {
            var counts = unit.CountBy(value => value).ToList();
            foreach (var (value, count) in counts)
            {
                totals[value] = totals.GetValueOrDefault(value) + count;
                observed += counts.Sum(other => (double)count * other.Value * Distance(value, other.Key, measurement)) / (unit.Count - 1);
            }
        }
        var all = totals.Values.Sum();
        var expected = totals.Sum(one => totals.Sum(other => (double)one.Value * other.Value * Distance(one.Key, other.Key, measurement)));
        // Both are sums over ordered pairs: D_o = observed / n, D_e = expected / (n (n - 1)).
        return expected == 0 ? null : 1 - ((all - 1) * observed / expected);
    }

    private static double Distance(double one, double other, Measurement measurement) => measurement switch
    {
        Measurement.Nominal => one == other ? 0 : 1,
        Measurement.Interval => (one - other) * (one - other),
    };
}
