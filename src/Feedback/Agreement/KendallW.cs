namespace Stoa.Feedback.Agreement;

/// <summary>
/// Kendall's coefficient of concordance W = 12 S / (m² (n³ − n)), where S is the sum of squares of the rank sums' deviations from their
/// mean
/// (M. G. Kendall and B. Babington Smith, "The Problem of m Rankings", Annals of Mathematical Statistics 10, 1939): 1 is full agreement, 0
/// is none. The rankings have no ties.
/// </summary>
internal static class KendallW
{
    /// <param name="rankings">Each the same candidates, best first.</param>
    /// <returns>Null with fewer than two rankings or candidates, or when not all rank the same ones.</returns>
    public static double? Of<T>(IReadOnlyList<IReadOnlyList<T>> rankings)
        where T : notnull
    {
        if (rankings.Count < 2 || rankings[0].Count < 2)
        {
            return null;
        }
        var sums = rankings[0].ToDictionary(candidate => candidate, _ => 0.0);
        var (judges, candidates) = ((double)rankings.Count, (double)sums.Count);
        foreach (var ranking in rankings)
        {
            if (ranking.Count != sums.Count || ranking.Distinct().Count() != sums.Count || !ranking.All(sums.ContainsKey))
            {
                return null;
            }
            for (var place = 0; place < ranking.Count; place++)
            {
                sums[ranking[place]] += place + 1;
            }
        }
        var mean = judges * (candidates + 1) / 2;
        var squares = sums.Values.Sum(sum => (sum - mean) * (sum - mean));
        return 12 * squares / (judges * judges * ((candidates * candidates * candidates) - candidates));
    }
}
