namespace Stoa.Platform.Jobs;

/// <summary>
/// How many jobs a node should hold. One for each worker; more only while runs are so short that the surplus is gone in a moment, since
/// what is held here can run nowhere else.
/// </summary>
internal sealed class JobPace(int workers)
{
    private const int MostAhead = 500;
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(50);

    // The longest recent run, forgotten slowly: one long run ends the working ahead at once, many short ones bring it back.
    private double longest = Ahead.TotalMilliseconds * workers * 2;

    public void Ran(TimeSpan duration)
    {
        var ms = Math.Max(duration.TotalMilliseconds, 0.01);
        // Lost updates of other workers do not matter.
        Volatile.Write(ref longest, Math.Max(ms, Volatile.Read(ref longest) * 0.98));
    }

    /// <summary>
    /// How many more to claim now; none while it still holds more than half of what it should, so that claims are worth it.
    /// </summary>
    public int Room(int held)
    {
        var target = workers + (int)Math.Min(MostAhead, workers * Ahead.TotalMilliseconds / Volatile.Read(ref longest));
        return held >= workers && held > target / 2 ? 0 : Math.Max(0, target - held);
    }
}
