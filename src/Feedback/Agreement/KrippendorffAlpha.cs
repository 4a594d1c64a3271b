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
        var (observed, all) = (0.0, new Pairs());
        foreach (var unit in units.Where(unit => unit.Count >= 2))
        {
            var own = new Pairs();
            foreach (var value in unit)
            {
                own.Add(value);
                all.Add(value);
            }
            observed += own.Distance(measurement) / (unit.Count - 1);
        }
        var expected = all.Distance(measurement);
        // Both are sums over ordered pairs: D_o = observed / n, D_e = expected / (n (n - 1)).
        return expected <= 0 ? null : 1 - ((all.Count - 1) * observed / expected);
    }

    /// <summary>
    /// What the distances of all ordered pairs of some values add up to, out of a few sums: scales may have any number of values.
    /// </summary>
    private sealed class Pairs
    {
        private readonly Dictionary<double, long> counts = [];
        private double sum;
        private double squares;

        public long Count { get; private set; }

        public void Add(double value)
        {
            counts[value] = counts.GetValueOrDefault(value) + 1;
            Count++;
            sum += value;
            squares += value * value;
        }

        public double Distance(Measurement measurement) => counts.Count < 2 ? 0 : measurement switch
        {
            Measurement.Nominal => ((double)Count * Count) - counts.Values.Sum(count => (double)count * count),
            // Of squares of differences; the rest that rounding leaves is not less than nothing.
            Measurement.Interval => Math.Max(0, 2 * ((Count * squares) - (sum * sum))),
        };
    }
}
