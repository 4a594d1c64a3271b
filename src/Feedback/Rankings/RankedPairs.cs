namespace Stoa.Feedback.Rankings;

/// <summary>
/// The consensus of several rankings by Tideman's ranked pairs (T. N. Tideman, "Independence of clones as a criterion for voting rules",
/// Social Choice and Welfare 4, 1987), with ties decided for the smaller candidate, as Open-Assistant decides them.
/// </summary>
internal static class RankedPairs
{
    /// <summary>
    /// The candidates that all votes name, best first. Null when fewer than two of them remain: there is no consensus then.
    /// </summary>
    /// <param name="votes">Each a ranking, best first.</param>
    public static IReadOnlyList<T>? Consensus<T>(IReadOnlyList<IReadOnlyList<T>> votes)
        where T : notnull, IComparable<T>
    {
        if (votes.Count == 0)
        {
            return null;
        }
        var common = votes[0].ToHashSet();
        foreach (var vote in votes)
        {
            common.IntersectWith(vote);
        }
        if (common.Count < 2)
        {
            return null;
        }
        var candidates = common.Order().ToArray();
        var locked = Lock(Margins(votes, candidates));
        return [.. Order(locked).Select(candidate => candidates[candidate])];
    }

    /// <summary>How many votes more place the first before the second than the second before the first.</summary>
    private static int[,] Margins<T>(IReadOnlyList<IReadOnlyList<T>> votes, T[] candidates)
        where T : notnull
    {
        var margins = new int[candidates.Length, candidates.Length];
        foreach (var vote in votes)
        {
            var places = new Dictionary<T, int>();
            for (var place = 0; place < vote.Count; place++)
            {
                places.TryAdd(vote[place], place);
            }
            for (var i = 0; i < candidates.Length; i++)
            {
                for (var j = 0; j < candidates.Length; j++)
                {
                    margins[i, j] += places[candidates[j]].CompareTo(places[candidates[i]]);
                }
            }
        }
        return margins;
    }

    /// <summary>
    /// Majorities from the clearest to the narrowest, each locked in unless it would close a circle. A tie is a majority both ways, and the
    /// one that comes first by row is locked.
    /// </summary>
    private static bool[,] Lock(int[,] margins)
    {
        var count = margins.GetLength(0);
        var majorities =
            from winner in Enumerable.Range(0, count)
            from loser in Enumerable.Range(0, count)
            where winner != loser && margins[winner, loser] >= 0
            orderby margins[winner, loser] descending
            select (winner, loser);
        // Kept closed under reachability, so that a circle is seen at once.
        var beats = new bool[count, count];
        foreach (var (winner, loser) in majorities)
        {
            if (beats[loser, winner] || beats[winner, loser])
            {
                continue;
            }
            for (var above = 0; above < count; above++)
            {
                for (var below = 0; below < count; below++)
                {
                    beats[above, below] |= (above == winner || beats[above, winner]) && (below == loser || beats[loser, below]);
                }
            }
        }
        return beats;
    }

    /// <summary>Each pair was locked one way, so what is left always has one that nobody left beats.</summary>
    private static List<int> Order(bool[,] beats)
    {
        var left = Enumerable.Range(0, beats.GetLength(0)).ToList();
        var order = new List<int>(left.Count);
        while (left.Count > 0)
        {
            var best = left.First(candidate => left.TrueForAll(other => !beats[other, candidate]));
            order.Add(best);
            left.Remove(best);
        }
        return order;
    }
}
