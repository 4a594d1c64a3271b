namespace Stoa.Feedback.Statistics;

/// <summary>The level that a leader score has reached: 1 to 100.</summary>
internal static class Level
{
    /// <summary>0, then the sums of 1.1521·k + 3 for k = 1 to 99, rounded half to even; the last is 6,000.</summary>
    private static readonly int[] Thresholds =
    [
        0,
        .. Enumerable.Range(1, 99).Select(level => (int)Math.Round(
            Enumerable.Range(1, level).Sum(step => (1.1521 * step) + 3), MidpointRounding.ToEven)),
    ];

    public static int Of(int leaderScore)
    {
        var place = Array.BinarySearch(Thresholds, leaderScore);
        return Math.Max(1, place >= 0 ? place + 1 : ~place);
    }
}
